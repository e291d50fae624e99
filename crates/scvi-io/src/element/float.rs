//! Floats of formats that the machine does not know.

/// Where sign, exponent and mantissa stand: the sign is the highest bit, the exponent follows, then
/// the mantissa. Formats of this kind are x87's extended precision (numpy's longdouble on x86-64),
/// IEEE's quadruple precision (on Arm) and bfloat16.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FloatFormat {
    /// Bytes of an element, 16 at most.
    pub(crate) width: usize,
    /// Bits of the exponent.
    pub(crate) exponent_bits: u32,
    /// Bits of the mantissa that are stored.
    pub(crate) mantissa_bits: u32,
    /// What is added to an exponent before it is stored.
    pub(crate) bias: u32,
    /// Whether the mantissa's first bit is stored, as in x87's format, and not taken for 1.
    pub(crate) has_leading_bit: bool,
}

impl FloatFormat {
    /// The nearest double to an element, whose low bytes stand first; subnormal doubles may be off
    /// by one in their last digit.
    pub(crate) fn read(&self, element: &[u8]) -> f64 {
        let low_bits = |bits: u128, n: u32| bits & 1_u128.checked_shl(n).map_or(!0, |end| end - 1);
        let bits = element.iter().rev().fold(0_u128, |bits, &b| bits << 8 | u128::from(b));
        let mantissa = low_bits(bits, self.mantissa_bits);
        let exponent = low_bits(bits >> self.mantissa_bits, self.exponent_bits) as u32;
        let is_negative = bits >> (self.mantissa_bits + self.exponent_bits) & 1 == 1;
        let fraction_bits = self.mantissa_bits - u32::from(self.has_leading_bit);
        let fraction = low_bits(mantissa, fraction_bits);
        let magnitude = if u128::from(exponent) == low_bits(!0, self.exponent_bits) {
            if fraction == 0 { f64::INFINITY } else { f64::NAN }
        } else {
            let is_implied = !self.has_leading_bit && exponent > 0;
            let significand = mantissa | u128::from(is_implied) << fraction_bits;
            let power = i64::from(exponent.max(1)) - i64::from(self.bias);
            times_power_of_two(significand as f64, power - i64::from(fraction_bits))
        };
        if is_negative { -magnitude } else { magnitude }
    }
}

fn times_power_of_two(value: f64, power: i64) -> f64 {
    if value == 0.0 {
        return 0.0;
    }
    // In two steps: either power alone may be none of a double.
    let power = power.clamp(-3000, 3000) as i32;
    value * 2_f64.powi(power / 2) * 2_f64.powi(power - power / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EXTENDED: FloatFormat = FloatFormat {
        width: 16,
        exponent_bits: 15,
        mantissa_bits: 64,
        bias: 16383,
        has_leading_bit: true,
    };
    const QUADRUPLE: FloatFormat =
        FloatFormat { mantissa_bits: 112, has_leading_bit: false, ..EXTENDED };

    #[test]
    fn formats_that_the_machine_knows() {
        let single = FloatFormat {
            width: 4,
            exponent_bits: 8,
            mantissa_bits: 23,
            bias: 127,
            has_leading_bit: false,
        };
        let double =
            FloatFormat { width: 8, exponent_bits: 11, mantissa_bits: 52, bias: 1023, ..single };
        for value in [0.0, -0.0, 1.0, -2.5, 1e-40, 3.4e38, 0.1, f32::INFINITY, f32::NAN] {
            let read = single.read(&value.to_le_bytes());
            assert_eq!(read.to_bits(), f64::from(value).to_bits(), "{value}");
            let value = f64::from(value);
            assert_eq!(double.read(&value.to_le_bytes()).to_bits(), value.to_bits(), "{value}");
        }
        assert_eq!(double.read(&f64::MAX.to_le_bytes()), f64::MAX);
    }

    #[test]
    fn longer_formats() {
        // numpy.longdouble(value).tobytes() on x86-64, low bytes first; six bytes are padding.
        for (bytes, value) in [
            (0x3fff_8000_0000_0000_0000_u128, 1.0),
            (0xc000_a000_0000_0000_0000, -2.5),
            (0x4005_c800_0000_0000_0000, 100.0),
            (0, 0.0),
            (0x7fff_8000_0000_0000_0000, f64::INFINITY),
        ] {
            assert_eq!(EXTENDED.read(&bytes.to_le_bytes()), value);
            let padded = bytes | 0xabcd << 80;
            assert_eq!(EXTENDED.read(&padded.to_le_bytes()), value);
        }
        assert!(EXTENDED.read(&0x7fff_c000_0000_0000_0000_u128.to_le_bytes()).is_nan());
        for (bytes, value) in [
            (0x3fff_u128 << 112, 1.0),
            (0x40004_u128 << 108, 2.5),
            (1, 0.0),
            (0xbffd_u128 << 112, -0.25),
            (0x7ffe_u128 << 112, f64::INFINITY),
        ] {
            assert_eq!(QUADRUPLE.read(&bytes.to_le_bytes()), value);
        }
    }
}
