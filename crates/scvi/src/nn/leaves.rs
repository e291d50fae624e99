//! A minibatch in leaves.

/// Does work on what `part` gives of each leaf. Of a single leaf nothing is allocated.
pub(crate) fn with_each<'a, W, P>(
    leaves: &'a mut [W],
    part: impl Fn(&'a mut W) -> P,
    work: impl FnOnce(&mut [P]),
) {
    match leaves {
        [one] => work(&mut [part(one)]),
        many => work(&mut many.iter_mut().map(part).collect::<Vec<_>>()),
    }
}
