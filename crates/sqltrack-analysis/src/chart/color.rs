//! The colors of curves: eight that are told apart also by most who see colors differently (after Okabe and Ito,
//! <https://jfly.uni-koeln.de/color/>).

/// A color of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Color {
    /// For HTML and SVG.
    pub(crate) hex: &'static str,
    /// The number of the color of a terminal that has 256 of them.
    pub(crate) terminal: u8,
}

pub(crate) const COLORS: [Color; 8] = [
    Color { hex: "#0072b2", terminal: 33 },
    Color { hex: "#d55e00", terminal: 202 },
    Color { hex: "#009e73", terminal: 36 },
    Color { hex: "#cc79a7", terminal: 175 },
    Color { hex: "#e69f00", terminal: 214 },
    Color { hex: "#56b4e9", terminal: 81 },
    Color { hex: "#8c564b", terminal: 131 },
    Color { hex: "#5f5f5f", terminal: 245 },
];

impl Color {
    /// The color of the curve of this number.
    pub(crate) fn of(number: usize) -> Self {
        COLORS[number % COLORS.len()]
    }
}
