//! Colors that can be told apart with any color vision.

/// A color in sRGB.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color(pub u32);

impl Color {
    /// For what has no value.
    pub const MISSING: Self = Self(0xB4BAC2);

    /// Red, green and blue.
    pub fn channels(self) -> [u8; 3] {
        let [_, rgb @ ..] = self.0.to_be_bytes();
        rgb
    }

    /// As in CSS: `#0072B2`.
    pub fn css(self) -> String {
        format!("#{:06X}", self.0)
    }
}

/// Okabe and Ito (2008), "Color Universal Design", those that stand out from white and black first.
const OKABE_ITO: [u32; 8] =
    [0x0072B2, 0xD55E00, 0x009E73, 0xE69F00, 0x56B4E9, 0xCC79A7, 0xF0E442, 0x000000];

// The larger ones maximise the smallest distance in OKLab between two colors as they are and as
// seen with protanopia and deuteranopia (Machado, Oliveira and Fernandes 2009), at lightnesses that
// stand out from white and from black.
const TWENTY: [u32; 20] = [
    0x2D6387, 0xFCC600, 0xA2245A, 0x99E1D8, 0xCF7500, 0x2D12D8, 0xABA2FC, 0x5AA27E, 0xBD3600,
    0x6C6CBD, 0x99BD7E, 0x3F3F99, 0xFC9000, 0x877EFC, 0x901B09, 0xA2B4C6, 0x90EA90, 0x637E87,
    0x6348FC, 0x8790BD,
];
const MANY: [u32; 102] = [
    0x877548, 0x6300FC, 0x75F300, 0xD8A2FC, 0x7E127E, 0xB4B47E, 0x7590BD, 0x00F3BD, 0x90121B,
    0x4875FC, 0x75ABAB, 0x995187, 0x7575CF, 0x7E9000, 0x90CF00, 0xAB87F3, 0x5A4851, 0xB46C87,
    0x5ACFBD, 0x48EAF3, 0x4800CF, 0x99E17E, 0x636351, 0xBD876C, 0x992DA2, 0x905100, 0x99AB00,
    0x515ACF, 0x2DBDD8, 0x873675, 0xBD3FAB, 0xFC6C99, 0x2D876C, 0xA2CF99, 0x7500A2, 0xD812F3,
    0x09A251, 0xA26300, 0xABC663, 0x7ECFE1, 0x36AB87, 0x4848BD, 0xEA3FAB, 0x99AB5A, 0x63513F,
    0xFC24D8, 0x7E87D8, 0x5AE1CF, 0xCF753F, 0x87E148, 0xFC5AFC, 0x99BD36, 0xAB0936, 0x5136D8,
    0x00756C, 0x007EA2, 0xD890C6, 0xD82D6C, 0x5A5190, 0xABBDA2, 0xABE1A2, 0x876336, 0xAB0987,
    0x6C515A, 0x903600, 0x7E246C, 0x0000EA, 0xB45A90, 0xFC7EE1, 0x00A2FC, 0x7563BD, 0x99CFFC,
    0x7ED8B4, 0xFCC66C, 0xF36C7E, 0x9900B4, 0x756C51, 0xEA6309, 0x7E7EBD, 0xBD12E1, 0x51A26C,
    0x007E63, 0x752490, 0xD82D36, 0x6CBDF3, 0x907EA2, 0x1BB4C6, 0xA2B4AB, 0x51B490, 0x87CF7E,
    0xD8127E, 0xBD36BD, 0x486CEA, 0x87BD5A, 0x7E3663, 0x5151A2, 0x6300B4, 0xCF90AB, 0xE16CEA,
    0xCF63E1, 0x903690, 0xFC1200,
];
/// From low to high, rising in lightness.
pub const RAMP: [Color; 9] = [
    Color(0x392B7F),
    Color(0x224A97),
    Color(0x006899),
    Color(0x008299),
    Color(0x0F9B98),
    Color(0x13B68E),
    Color(0x73C77B),
    Color(0xB5D46C),
    Color(0xF0DD6C),
];

/// A color for each of `n` categories; beyond 102 they repeat.
pub fn categorical(n: usize) -> Vec<Color> {
    let palette: &[u32] = match n {
        0..=8 => &OKABE_ITO,
        9..=20 => &TWENTY,
        _ => &MANY,
    };
    palette.iter().cycle().take(n).map(|&rgb| Color(rgb)).collect()
}

/// The color at `t` from 0 (low) to 1 (high); what is no number has that of what is missing.
pub fn ramp(t: f64) -> Color {
    if t.is_nan() {
        return Color::MISSING;
    }
    let place = t.clamp(0.0, 1.0) * (RAMP.len() - 1) as f64;
    let low = (place as usize).min(RAMP.len() - 2);
    let [a, b] = [RAMP[low], RAMP[low + 1]].map(Color::channels);
    let mixed = |k: usize| {
        let (a, b) = (f64::from(a[k]), f64::from(b[k]));
        (a + (b - a) * (place - low as f64)).round() as u32
    };
    Color(mixed(0) << 16 | mixed(1) << 8 | mixed(2))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// OKLab of linear light.
    fn oklab([r, g, b]: [f64; 3]) -> [f64; 3] {
        let l = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b).cbrt();
        let m = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b).cbrt();
        let s = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b).cbrt();
        [
            0.2104542553 * l + 0.7936177850 * m - 0.0040720468 * s,
            1.9779984951 * l - 2.4285922050 * m + 0.4505937099 * s,
            0.0259040371 * l + 0.7827717662 * m - 0.8086757660 * s,
        ]
    }

    /// Normal vision, protanopia and deuteranopia, of linear light.
    const VISIONS: [[[f64; 3]; 3]; 3] = [
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
    ];

    fn seen(color: Color, vision: &[[f64; 3]; 3]) -> [f64; 3] {
        let linear = color.channels().map(|c| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) }
        });
        let row = |row: &[f64; 3]| {
            row.iter().zip(linear).map(|(a, b)| a * b).sum::<f64>().clamp(0.0, 1.0)
        };
        oklab([row(&vision[0]), row(&vision[1]), row(&vision[2])])
    }

    fn least_distance(colors: &[Color]) -> f64 {
        let mut least = f64::INFINITY;
        for vision in &VISIONS {
            let points: Vec<_> = colors.iter().map(|&color| seen(color, vision)).collect();
            for (k, a) in points.iter().enumerate() {
                for b in &points[..k] {
                    let squares = a.iter().zip(b).map(|(a, b)| (a - b).powi(2));
                    least = least.min(squares.sum::<f64>().sqrt());
                }
            }
        }
        least
    }

    #[test]
    fn categories_can_be_told_apart_with_any_color_vision() {
        for (n, least) in [(8, 0.07), (20, 0.09), (28, 0.07), (102, 0.025)] {
            let found = least_distance(&categorical(n));
            assert!(found >= least, "{n} colors: {found}");
        }
    }

    #[test]
    fn the_ramp_rises_in_lightness_for_every_vision() {
        for vision in &VISIONS {
            let lightness: Vec<f64> =
                (0..=100).map(|t| seen(ramp(f64::from(t) / 100.0), vision)[0]).collect();
            assert!(lightness.is_sorted(), "{lightness:?}");
        }
        assert_eq!(ramp(f64::NAN), Color::MISSING);
        assert_eq!((ramp(-1.0), ramp(9.0)), (RAMP[0], RAMP[8]));
    }
}
