//! Neighbors from a k-d tree.

use std::num::NonZero;
use std::ops::Range;

use kiddo::{ImmutableKdTree, SquaredEuclidean};

use super::Search;
use crate::Embedding;

/// A k-d tree over coordinates of `D` dimensions.
struct Tree<const D: usize> {
    points: Vec<[f32; D]>,
    tree: ImmutableKdTree<f32, D>,
}

impl<const D: usize> Tree<D> {
    fn boxed(embedding: Embedding) -> Option<Box<dyn Search>> {
        let (points, _) = embedding.values().as_chunks();
        let points = points.to_vec();
        let tree = ImmutableKdTree::new_from_slice(&points).ok()?;
        Some(Box::new(Self { points, tree }))
    }
}

/// A tree of the embedding's dimensions; none where they are more than 16, for which it is slower than
/// comparing every pair.
pub(super) fn tree(embedding: Embedding) -> Option<Box<dyn Search>> {
    macro_rules! of_dimensions {
        ($($d:literal)*) => {
            match embedding.n_dimensions() {
                $($d => Tree::<$d>::boxed(embedding),)*
                _ => None,
            }
        };
    }
    of_dimensions!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16)
}

impl<const D: usize> Search for Tree<D> {
    fn search(&self, cells: Range<usize>, k: usize, found: &mut Vec<(f32, u32)>) {
        let with_itself = NonZero::new(k + 1).expect("k is below usize::MAX");
        let mut nearest = Vec::new();
        for cell in cells {
            let query = self.tree.query(&self.points[cell]);
            let results = query.nearest_n::<SquaredEuclidean<f32>>(with_itself).execute();
            nearest.clear();
            nearest.extend(results.into_iter().map(|found| (found.distance, found.item)));
            nearest.retain(|&(_, item)| item as usize != cell);
            nearest.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
            found.extend(nearest.iter().take(k));
        }
    }
}
