//! The binary format of `numeric`, a number of arbitrary precision, as its decimal text.

/// The decimal form of a `numeric`: four 16-bit fields (number of digits, weight of the first, sign, decimals
/// to show), then the digits in base 10,000.
pub(crate) fn decode(bytes: &[u8]) -> Option<String> {
    let mut fields = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
    let count = usize::from(fields.next()?);
    let weight = i32::from(fields.next()?.cast_signed());
    let sign = match fields.next()? {
        0x0000 => "",
        0x4000 => "-",
        0xC000 => return Some("NaN".to_owned()),
        0xD000 => return Some("Infinity".to_owned()),
        0xF000 => return Some("-Infinity".to_owned()),
        _ => return None,
    };
    let scale = usize::from(fields.next()?);
    let digits: Vec<u16> = fields.collect();
    if digits.len() != count {
        return None;
    }
    let digit = |position: i32| {
        let index = usize::try_from(weight - position).ok();
        index.and_then(|index| digits.get(index)).copied().unwrap_or(0)
    };
    let mut whole: String =
        (0..=weight.max(0)).rev().map(|position| format!("{:04}", digit(position))).collect();
    let leading = whole.len() - whole.trim_start_matches('0').len();
    whole.drain(..leading.min(whole.len() - 1));
    let groups = i32::try_from(scale.div_ceil(4)).ok()?;
    let mut fraction: String = (1..=groups).map(|position| format!("{:04}", digit(-position))).collect();
    fraction.truncate(scale);
    let point = if fraction.is_empty() { "" } else { "." };
    Some(format!("{sign}{whole}{point}{fraction}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fields: &[u16], expected: Option<&str>) {
        let bytes: Vec<u8> = fields.iter().flat_map(|field| field.to_be_bytes()).collect();
        assert_eq!(decode(&bytes).as_deref(), expected);
    }

    #[test]
    fn numbers_have_their_decimal_form() {
        check(&[0, 0, 0, 0], Some("0"));
        check(&[2, 0, 0, 4, 3, 1400], Some("3.1400"));
        check(&[2, 1, 0x4000, 0, 12, 3456], Some("-123456"));
        check(&[1, 2, 0, 0, 7], Some("700000000"));
        check(&[1, 0xFFFE, 0, 8, 5], Some("0.00000005"));
        check(&[1, 0xFFFF, 0, 2, 5000], Some("0.50"));
        check(&[0, 0, 0xC000, 0], Some("NaN"));
        check(&[0, 0, 0xF000, 0], Some("-Infinity"));
        check(&[1, 0, 0, 0], None);
        check(&[0, 0, 0x1234, 0], None);
    }
}
