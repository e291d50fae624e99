//! Broken and malicious saves give errors: nothing is executed, and neither panic nor endless loop
//! nor memory beyond what the file's size justifies comes of them.

mod limit;
mod mix;
mod saves;

use limit::{alone, within_limit};
use mix::Mix;
use saves::craft::{call, container, entries, int, join, save_with, text};
use saves::{PICKLES, bytes, models};
use scvi_io::scvi_tools::{SaveError, ScviToolsSave};

/// Reads a save within the limit.
fn read(bytes: &[u8], what: &str) -> Result<ScviToolsSave, SaveError> {
    within_limit(bytes.len(), what, || ScviToolsSave::from_bytes(bytes))
}

impl Mix {
    /// Flips a bit, sets a byte, writes a huge number, cuts off, or moves a piece; a few times.
    fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(3) {
            if bytes.is_empty() {
                return;
            }
            let at = self.below(bytes.len());
            match self.below(6) {
                0 | 1 => bytes[at] ^= 1 << self.below(8),
                2 => bytes[at] = self.next() as u8,
                3 => {
                    let width = [2, 4, 8][self.below(3)].min(bytes.len() - at);
                    let huge = [u64::MAX, i64::MAX as u64, i32::MAX as u64][self.below(3)];
                    bytes[at..at + width].copy_from_slice(&huge.to_le_bytes()[..width]);
                }
                4 if self.below(4) == 0 => bytes.truncate(at),
                _ => {
                    let to = self.below(bytes.len());
                    let n = self.below(40).min(bytes.len() - at.max(to));
                    bytes.copy_within(at..at + n, to);
                }
            }
        }
    }
}

/// Mutations of each kind; `SCVI_MUTATIONS` asks for more.
fn rounds() -> usize {
    std::env::var("SCVI_MUTATIONS").ok().and_then(|n| n.parse().ok()).unwrap_or(1000)
}

#[test]
fn changed_containers_are_errors_or_the_same() {
    let _alone = alone();
    let originals = [bytes("default"), bytes("linear"), bytes("pandas_2.2")];
    let intact: Vec<String> =
        originals.iter().map(|b| format!("{:?}", read(b, "intact").unwrap())).collect();
    let mut mix = Mix(0);
    let mut errors = 0;
    for round in 0..rounds() {
        let k = round % originals.len();
        let mut broken = originals[k].clone();
        mix.mutate(&mut broken);
        match read(&broken, &format!("round {round}")) {
            Ok(save) => assert_eq!(format!("{save:?}"), intact[k], "round {round}"),
            Err(_) => errors += 1,
        }
    }
    assert!(errors > rounds() / 2, "{errors}");
}

/// Checksums stop most changes of a container; here they fit, so that the pickle is what is read.
#[test]
fn changed_pickles() {
    let _alone = alone();
    let mut mix = Mix(1);
    let mut errors = 0;
    let names: Vec<&str> = models().chain(PICKLES).collect();
    let originals: Vec<_> = names.iter().map(|name| entries(&bytes(name))).collect();
    for round in 0..rounds() {
        let k = round % names.len();
        let mut parts = originals[k].clone();
        let pickle = parts.iter_mut().find(|(name, _)| name.ends_with("data.pkl")).unwrap();
        mix.mutate(&mut pickle.1);
        let parts: Vec<(&str, &[u8])> = parts.iter().map(|(n, d)| (&n[..], &d[..])).collect();
        let result = read(&container(&parts), &format!("{} round {round}", names[k]));
        errors += usize::from(result.is_err());
    }
    assert!(errors > rounds() / 2, "{errors}");
}

#[test]
fn cut_off_anywhere() {
    let _alone = alone();
    let whole = bytes("default");
    for k in 0..100 {
        let cut = whole.len() * k / 100;
        assert!(read(&whole[..cut], "cut").is_err(), "{cut}");
    }
}

/// What the error says.
fn refusal(payload: &[u8]) -> String {
    read(&save_with(payload), "payload").unwrap_err().to_string()
}

#[test]
fn nothing_is_called() {
    let _alone = alone();
    assert!(read(&save_with(b"N"), "harmless").is_ok());
    let spawn = join(&[b"csubprocess\nPopen\n)\x81}", &text("args"), &text("true"), b"sb"]);
    let nested = call("builtins", "getattr", &join(&[b"cos\nsystem\n", &text("__call__")]));
    let nested = join(&[&nested, b"(", &text("true"), b"tR"]);
    let torch = call("torch._utils", "_rebuild_from_type_v2", b"cos\nsystem\n");
    let stack_global = join(&[&text("posix"), &text("system"), b"\x93(", &text("true"), b"tR"]);
    let cases: [(Vec<u8>, &str); 14] = [
        (call("posix", "system", &text("true")), "posix.system"),
        (call("__builtin__", "eval", &text("1")), "__builtin__.eval"),
        (call("builtins", "exec", &text("1")), "builtins.exec"),
        (call("torch", "load", &text("x")), "torch.load"),
        (call("numpy", "load", &text("x")), "numpy.load"),
        (call("pandas", "read_pickle", &text("x")), "pandas.read_pickle"),
        (call("scvi.model", "SCVI", b""), "scvi.model.SCVI"),
        (spawn, "subprocess.Popen"),
        (nested, "builtins.getattr"),
        (torch, "_rebuild_from_type_v2"),
        (stack_global, "posix.system"),
        // Named, not called: it would be imported by whoever loads what is written from it.
        (b"cos\nsystem\n".to_vec(), "os.system"),
        (call("builtins", "getattr", &join(&[b"ctorch\nhub\n", &text("load")])), "getattr"),
        (join(&[&text("torch\nos"), &text("x"), b"\x93"]), r"torch\nos.x"),
    ];
    for (payload, name) in cases {
        let error = refusal(&payload);
        assert!(error.contains(name), "{name}: {error}");
        assert!(error.contains("nothing was executed"), "{error}");
    }
    for (payload, name) in [
        (&b"(iposix\nsystem\n"[..], "INST"),
        (b"(cposix\nsystem\no", "OBJ"),
        (b"\x82\x01", "EXT1"),
        (b"\x92", "NEWOBJ_EX"),
        (b"P0\n", "PERSID"),
        (b"\xff", "0xff"),
    ] {
        let error = refusal(payload);
        assert!(error.contains(name) && error.contains("nothing was executed"), "{error}");
    }
}

#[test]
fn bombs() {
    let _alone = alone();
    let deep = join(&[&b"]".repeat(100_000), &b"a".repeat(99_999)]);
    // Eleven lists, each ten times the one before; 10^11 elements in 300 bytes.
    let mut laughs = b"]q\x00".to_vec();
    for k in 1..=11 {
        laughs.extend([b'0', b']', b'q', k, b'(']);
        laughs.extend([b'h', k - 1].repeat(10));
        laughs.push(b'e');
    }
    let cases: [(&str, Vec<u8>, &str); 12] = [
        ("nested lists", deep, "nesting"),
        ("shared lists", laughs, "beyond the limit"),
        ("a list in itself", b"]q\x00h\x00a".to_vec(), "contains itself"),
        ("a call on itself", b"ccollections\nOrderedDict\n)Rq\x00(h\x00h\x00u".to_vec(), "itself"),
        ("a huge integer", b"\x8b\xff\xff\xff\x7f".to_vec(), "bytes"),
        ("huge bytes", join(&[b"\x8e", &[0xff; 8]]), "are left"),
        ("a huge byte array", join(&[b"\x96", &i64::MAX.to_le_bytes()]), "are left"),
        ("a huge text", join(&[b"X", &[0xff; 4]]), "are left"),
        ("many marks", b"(".repeat(3_000_000), "marks"),
        ("many values", b"}".repeat(3_000_000), "values"),
        ("many copies", join(&[b"}", &b"2".repeat(3_000_000)]), "stack"),
        ("many remembered", join(&[b"}", &b"\x94".repeat(3_000_000)]), "remembered"),
    ];
    for (what, payload, expected) in cases {
        let error = refusal(&payload);
        assert!(error.contains(expected), "{what}: {error}");
    }
}

/// A dtype of numpy.
fn dtype(letters: &str) -> Vec<u8> {
    call("numpy", "dtype", &join(&[&text(letters), b"\x89\x88"]))
}

/// An array of numpy.
fn array(shape: &[i64], letters: &str, data: &[u8]) -> Vec<u8> {
    let shape: Vec<u8> = shape.iter().flat_map(|&n| int(n)).collect();
    let empty = call("numpy._core.multiarray", "_reconstruct", b"cnumpy\nndarray\n)N");
    join(&[&empty, b"(K\x01(", &shape, b"t", &dtype(letters), b"\x89", data, b"tb"])
}

/// A tensor of torch.
fn tensor(class: &str, key: &str, len: i64, offset: i64, view: &[(i64, i64)]) -> Vec<u8> {
    let storage = join(&[
        b"(",
        &text("storage"),
        format!("ctorch\n{class}\n").as_bytes(),
        &text(key),
        &text("cpu"),
        &int(len),
        b"tQ",
    ]);
    let sizes: Vec<u8> = view.iter().flat_map(|&(size, _)| int(size)).collect();
    let strides: Vec<u8> = view.iter().flat_map(|&(_, stride)| int(stride)).collect();
    let args = join(&[&storage, &int(offset), b"(", &sizes, b"t(", &strides, b"t\x89N"]);
    call("torch._utils", "_rebuild_tensor_v2", &args)
}

#[test]
fn arrays_and_tensors_that_are_not_there() {
    let _alone = alone();
    let data = b"C\x08\0\0\0\0\0\0\0\0";
    let range = |stop| {
        let parts = [("start", 0), ("stop", stop), ("step", 1)];
        let parts: Vec<u8> =
            parts.iter().flat_map(|&(key, n)| join(&[&text(key), &int(n)])).collect();
        let args = join(&[b"cpandas\nRangeIndex\n}(", &parts, b"u"]);
        call("pandas.core.indexes.base", "_new_Index", &args)
    };
    assert!(read(&save_with(&array(&[2], "f4", data)), "").is_ok());
    assert!(read(&save_with(&range(3)), "").is_ok());
    // Times, and whole numbers that i64 cannot hold.
    assert!(read(&save_with(&array(&[1], "M8[ns]", data)), "").is_ok());
    let largest = join(&[b"C\x08", &[0xff; 8]]);
    assert!(read(&save_with(&array(&[1], "u8", &largest)), "").is_ok());
    let view = &[(2, 1), (2, 2)];
    assert!(read(&save_with(&tensor("FloatStorage", "0", 4, 0, view)), "").is_ok());
    // Eight million references to one storage: possible in torch, and beyond the file's size.
    let expanded = &[(8 << 20, 0)];
    let cases = [
        (array(&[3], "f4", data), "shape [3]"),
        (array(&[i64::MAX, 4], "f4", data), "as many elements"),
        (array(&[-1], "f4", data), "a size"),
        (array(&[1], "V8", data), "dtype 'V8'"),
        (array(&[1 << 40], "U0", data), "dtype 'U0'"),
        (array(&[1 << 40], "O", b"]"), "as many elements"),
        (range(i64::MAX), "beyond the limit"),
        (range(1 << 40), "beyond the limit"),
        (tensor("FloatStorage", "0", 5, 0, &[(5, 1)]), "16 bytes"),
        (tensor("FloatStorage", "0", 4, 1, view), "offset 1"),
        (tensor("FloatStorage", "0", 4, i64::MAX, view), "offset"),
        (tensor("FloatStorage", "0", 4, 0, &[(i64::MAX, i64::MAX)]), "numbers of a tensor"),
        (tensor("FloatStorage", "0", 4, 0, expanded), "beyond the limit"),
        (tensor("FloatStorage", "9", 4, 0, view), "no such entry"),
        (tensor("FloatStorage", "../data.pkl", 4, 0, view), "no such entry"),
        (
            tensor("ComplexFloatStorage", "0", 2, 0, &[(2, 1)]),
            "storage 'torch.ComplexFloatStorage'",
        ),
    ];
    for (payload, expected) in cases {
        let error = refusal(&payload);
        assert!(error.contains(expected), "{expected}: {error}");
    }
}

#[test]
fn containers() {
    let _alone = alone();
    let says = |bytes: &[u8], expected: &str| {
        let error = read(bytes, expected).unwrap_err().to_string();
        assert!(error.contains(expected), "{expected}: {error}");
    };
    says(b"", "not a zip file");
    says(b"hello", "not a zip file");
    says(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "torch's of before 1.6");
    says(&container(&[]), "no such entry");
    says(&container(&[("a/data.pkl", b"N."), ("b/data.pkl", b"N.")]), "several");
    says(&container(&[("data.pkl", b"N."), ("data.pkl", b"N.")]), "two of that name");
    says(&container(&[("data.pkl", b"N."), ("byteorder", b"big")]), "little");
    says(&container(&[("data.pkl", b"N.")]), "expected a dict, found None");
    says(&container(&[("data.pkl", b"")]), "ends in the middle");

    // Fields of the one entry in the directory: flags, method, checksum, size, place.
    let whole = container(&[("data.pkl", b"N.")]);
    let directory = whole.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    let changed = |at: usize, bytes: &[u8]| {
        let mut whole = whole.clone();
        whole[directory + at..directory + at + bytes.len()].copy_from_slice(bytes);
        whole
    };
    says(&changed(8, &[9]), "encrypted");
    says(&changed(10, &[12]), "method 12");
    says(&changed(16, &[1, 2, 3, 4]), "data.pkl");
    says(&changed(24, &[0xfe; 4]), "data.pkl");
    // Deflated, and of a size that the file does not justify.
    let mut large = changed(10, &[8]);
    large[directory + 24..directory + 28].copy_from_slice(&(1_u32 << 31).to_le_bytes());
    says(&large, "beyond the limit");

    // Two entries in one place: the second's record points to the first's data.
    let mut twice = container(&[("data.pkl", b"N."), ("data.pk2", b"N.")]);
    let second = twice.windows(4).rposition(|w| w == b"PK\x01\x02").unwrap();
    twice[second + 42..second + 46].fill(0);
    says(&twice, "over each other");
}
