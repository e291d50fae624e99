//! Tables, series and indexes of pandas 1.2 to 3.

use super::Decoder;
use crate::scvi_tools::SaveError;
use crate::scvi_tools::pickle::{Call, Id, Node};
use crate::scvi_tools::value::{Array, ArrayData, Frame, Value};

/// Values of some columns, `(columns, rows)`, or of one column without the first axis.
struct Block {
    values: Array,
    columns: Vec<usize>,
}

impl Decoder<'_> {
    /// A table: made from a manager of blocks, or, as written here, from a dict and an index.
    pub(super) fn pandas_frame(&self, call: &Call) -> Result<Frame, SaveError> {
        let Some(state) = call.state else { return self.pandas_plain_frame(call) };
        let (axes, blocks) = self.pandas_manager(state, call)?;
        let &[columns, index] = axes else { return Err(self.unexpected("two axes", state)) };
        let (names, _) = self.pandas_index(columns)?;
        let (index, index_name) = self.pandas_index(index)?;
        self.budget.take(names.len(), 2 * size_of::<Value>(), "the columns of a table")?;
        let names = names.to_strings();
        let mut columns: Vec<Option<ArrayData>> = vec![None; names.len()];
        for block in blocks {
            place(block, index.len(), &mut columns)?;
        }
        let columns = names
            .into_iter()
            .zip(columns)
            .map(|(name, data)| Some((name, data?)))
            .collect::<Option<_>>()
            .ok_or_else(|| broken("a block for each column"))?;
        Ok(Frame { columns, index_name, index })
    }

    /// `DataFrame(dict, index)`.
    fn pandas_plain_frame(&self, call: &Call) -> Result<Frame, SaveError> {
        let &[data, index] = self.tuple(call.args)? else {
            return Err(self.unknown(call.callable));
        };
        let Node::Dict(entries) = self.graph.node(data) else {
            return Err(self.unexpected("a dict", data));
        };
        let (index, index_name) = self.pandas_index(index)?;
        let mut columns = Vec::new();
        for &(name, values) in entries {
            let values = self.array(values)?;
            if values.shape != [index.len()] {
                return Err(broken("columns as long as the index"));
            }
            columns.push((self.string(self.text(name)?)?, values.data));
        }
        Ok(Frame { columns, index_name, index })
    }

    /// A series, as a table of one column.
    pub(super) fn pandas_series(&self, call: &Call) -> Result<Frame, SaveError> {
        let state = call.state.ok_or_else(|| self.unknown(call.callable))?;
        let (axes, mut blocks) = self.pandas_manager(state, call)?;
        let &[index] = axes else { return Err(self.unexpected("one axis", state)) };
        let (index, index_name) = self.pandas_index(index)?;
        let name = match self.entry(state, "name").or_else(|| self.entry(state, "_name")) {
            Some(id) => self.optional_text(id)?.unwrap_or_default(),
            None => String::new(),
        };
        match (blocks.pop(), blocks.is_empty()) {
            (Some(block), true) if block.values.shape == [index.len()] => {
                Ok(Frame { columns: vec![(name, block.values.data)], index_name, index })
            }
            _ => Err(broken("one block, as long as the index")),
        }
    }

    /// Axes and blocks of a table or series.
    fn pandas_manager(&self, state: Id, owner: &Call) -> Result<(&[Id], Vec<Block>), SaveError> {
        let id = self.entry(state, "_mgr").or_else(|| self.entry(state, "_data"));
        let id = id.ok_or_else(|| self.unknown(owner.callable))?;
        let Some(call) = self.call_of(id) else { return Err(self.unexpected("a manager", id)) };
        let ("pandas", "BlockManager" | "SingleBlockManager") = self.called(call)? else {
            return Err(self.unknown(call.callable));
        };
        if let &[blocks, axes] = self.tuple(call.args)? {
            let blocks = self.list(blocks)?.iter().map(|&id| self.pandas_block(id));
            return Ok((self.list(axes)?, blocks.collect::<Result<_, _>>()?));
        }
        // The form of before pandas 1.3, which series keep: four parts, of which the last holds
        // all, under the version that brought it.
        let parts = call.state.map(|state| self.tuple(state)).transpose()?;
        let extra = parts.and_then(|parts| parts.get(3)).and_then(|&id| self.entry(id, "0.14.1"));
        let both = extra.and_then(|e| Some((self.entry(e, "axes")?, self.entry(e, "blocks")?)));
        let (axes, blocks) = both.ok_or_else(|| self.unknown(call.callable))?;
        let blocks = self.list(blocks)?.iter().map(|&id| self.pandas_old_block(id));
        Ok((self.list(axes)?, blocks.collect::<Result<_, _>>()?))
    }

    /// `_unpickle_block(values, columns, dimensions)`.
    fn pandas_block(&self, id: Id) -> Result<Block, SaveError> {
        let Some(call) = self.call_of(id) else { return Err(self.unexpected("a block", id)) };
        match (self.called(call)?, self.tuple(call.args)?) {
            (("pandas", "_unpickle_block" | "new_block"), &[values, columns, ..]) => {
                let columns = self.pandas_columns(columns)?;
                Ok(Block { values: self.array(values)?, columns })
            }
            _ => Err(self.unknown(call.callable)),
        }
    }

    fn pandas_old_block(&self, id: Id) -> Result<Block, SaveError> {
        match (self.entry(id, "values"), self.entry(id, "mgr_locs")) {
            (Some(values), Some(columns)) => {
                let columns = self.pandas_columns(columns)?;
                Ok(Block { values: self.array(values)?, columns })
            }
            _ => Err(self.unexpected("a block", id)),
        }
    }

    /// Which columns a block holds: a slice or an array.
    fn pandas_columns(&self, id: Id) -> Result<Vec<usize>, SaveError> {
        if let Some(call) = self.call_of(id)
            && self.called(call)? == ("builtins", "slice")
        {
            let &[start, stop, step] = self.tuple(call.args)? else {
                return Err(self.unknown(call.callable));
            };
            let step = if let Node::None = self.graph.node(step) { 1 } else { self.size(step)? };
            return self.range(self.size(start)?, self.size(stop)?, step);
        }
        match self.array(id)?.data {
            ArrayData::Int(columns) => columns
                .into_iter()
                .map(|k| usize::try_from(k).map_err(|_| broken("positions of columns")))
                .collect(),
            _ => Err(broken("positions of columns")),
        }
    }

    fn range(&self, start: usize, stop: usize, step: usize) -> Result<Vec<usize>, SaveError> {
        if step == 0 {
            return Err(broken("a range with steps"));
        }
        self.budget.take(stop.saturating_sub(start) / step + 1, 16, "a range")?;
        Ok((start..stop).step_by(step).collect())
    }

    /// An index and its name.
    pub(super) fn pandas_index(&self, id: Id) -> Result<(ArrayData, Option<String>), SaveError> {
        let Some(call) = self.call_of(id) else { return Err(self.unexpected("an index", id)) };
        match (self.called(call)?, self.tuple(call.args)?) {
            (("pandas", "_new_Index"), &[class, parts]) => self.pandas_new_index(class, parts),
            // As written here: Index(data, dtype, copy, name).
            (("pandas", "Index"), &[data, _, _, name]) => {
                Ok((self.one_axis(data)?, self.optional_text(name)?))
            }
            _ => Err(self.unknown(call.callable)),
        }
    }

    fn pandas_new_index(
        &self,
        class: Id,
        parts: Id,
    ) -> Result<(ArrayData, Option<String>), SaveError> {
        let part = |key| self.entry(parts, key).ok_or_else(|| self.unexpected("an index", parts));
        let name = match self.entry(parts, "name") {
            Some(name) => self.optional_text(name)?,
            None => None,
        };
        let data = match self.class(class)? {
            ("pandas", "RangeIndex") => {
                let [start, stop, step] =
                    [part("start")?, part("stop")?, part("step")?].map(|id| self.size(id));
                let rows = self.range(start?, stop?, step?)?;
                ArrayData::Int(rows.into_iter().map(|k| k as i64).collect())
            }
            (
                "pandas",
                "Index" | "NumericIndex" | "Int64Index" | "UInt64Index" | "Float64Index",
            ) => self.one_axis(part("data")?)?,
            _ => return Err(self.unknown(class)),
        };
        Ok((data, name))
    }

    /// pandas' own array of texts: made empty, then given (dtype, values) or (values, dtype).
    pub(super) fn pandas_strings(&self, call: &Call) -> Result<Array, SaveError> {
        let class = *self.tuple(call.args)?.first().ok_or_else(|| self.unknown(call.callable))?;
        let ("pandas", "StringArray" | "StringArrayNumpySemantics") = self.class(class)? else {
            return Err(self.unknown(class));
        };
        let state = call.state.ok_or_else(|| self.unknown(class))?;
        let is_array = |&&id: &&Id| {
            let call = self.call_of(id);
            call.and_then(|call| self.called(call).ok())
                .is_some_and(|(package, _)| package == "numpy")
        };
        match self.tuple(state)?.iter().take(3).find(is_array) {
            Some(&values) => self.array(values),
            None => Err(self.unexpected("an array of texts", state)),
        }
    }

    /// The same before pandas 1.3: a state by name.
    pub(super) fn pandas_old_strings(&self, call: &Call) -> Result<Array, SaveError> {
        match call.state.and_then(|state| self.entry(state, "_ndarray")) {
            Some(values) => self.array(values),
            None => Err(self.unknown(call.callable)),
        }
    }

    fn one_axis(&self, id: Id) -> Result<ArrayData, SaveError> {
        let array = self.array(id)?;
        if array.shape.len() != 1 {
            return Err(broken("an index with one axis"));
        }
        Ok(array.data)
    }

    fn optional_text(&self, id: Id) -> Result<Option<String>, SaveError> {
        match self.value(id)? {
            Value::None => Ok(None),
            Value::Str(text) => Ok(Some(text)),
            other => Err(SaveError::structure("data.pkl", "a name", other.kind())),
        }
    }
}

/// Puts a block's columns where they belong.
fn place(block: Block, rows: usize, columns: &mut [Option<ArrayData>]) -> Result<(), SaveError> {
    let Block { values: Array { shape, data }, columns: at } = block;
    let fits = match shape[..] {
        [n] => n == rows && at.len() == 1,
        [k, n] => n == rows && at.len() == k,
        _ => false,
    };
    if !fits {
        return Err(broken("blocks that fit the axes"));
    }
    for (k, data) in split(data, rows, at.len()).into_iter().enumerate() {
        let column = columns.get_mut(at[k]).ok_or_else(|| broken("blocks that fit the axes"))?;
        *column = Some(data);
    }
    Ok(())
}

/// Cuts values into `n` rows of length `len`.
fn split(data: ArrayData, len: usize, n: usize) -> Vec<ArrayData> {
    fn cut<T>(mut values: Vec<T>, len: usize, n: usize) -> Vec<Vec<T>> {
        let mut parts: Vec<Vec<T>> = (1..n).rev().map(|k| values.split_off(k * len)).collect();
        if n > 0 {
            parts.push(values);
        }
        parts.reverse();
        parts
    }
    match data {
        ArrayData::Bool(v) => cut(v, len, n).into_iter().map(ArrayData::Bool).collect(),
        ArrayData::Int(v) => cut(v, len, n).into_iter().map(ArrayData::Int).collect(),
        ArrayData::UInt(v) => cut(v, len, n).into_iter().map(ArrayData::UInt).collect(),
        ArrayData::Datetime(unit, v) => {
            cut(v, len, n).into_iter().map(|v| ArrayData::Datetime(unit, v)).collect()
        }
        ArrayData::Timedelta(unit, v) => {
            cut(v, len, n).into_iter().map(|v| ArrayData::Timedelta(unit, v)).collect()
        }
        ArrayData::Float32(v) => cut(v, len, n).into_iter().map(ArrayData::Float32).collect(),
        ArrayData::Float64(v) => cut(v, len, n).into_iter().map(ArrayData::Float64).collect(),
        ArrayData::Str(v) => cut(v, len, n).into_iter().map(ArrayData::Str).collect(),
        ArrayData::Object(v) => cut(v, len, n).into_iter().map(ArrayData::from_objects).collect(),
    }
}

fn broken(expected: &str) -> SaveError {
    SaveError::structure("a table of pandas", expected, "something else")
}
