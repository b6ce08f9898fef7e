//! The icon's pixels: an anchor on a tile, and a mark for what wants to be known.
//!
//! Shapes are distances to their edge, so that they are smooth at every size. Units are those of a square of 32.

use super::icon::Icon;

/// Width and height in pixels: twice what most panels show.
pub(super) const SIZE: u32 = 64;
/// Width and height in the units of the shapes.
const UNITS: f32 = 32.0;

type Colour = [f32; 3];
const WHITE: Colour = [1.0, 1.0, 1.0];
const BLUE: Colour = [0.08, 0.35, 0.72];
const GREY: Colour = [0.42, 0.45, 0.5];
const GREEN: Colour = [0.13, 0.55, 0.3];
const AMBER: Colour = [0.85, 0.45, 0.0];
/// Where the mark is, and its radius.
const MARK: (f32, f32) = (23.5, 23.5);
const MARK_RADIUS: f32 = 7.0;
/// The rim that parts the mark from the tile.
const RIM: f32 = 1.5;

/// The pixels of `icon`.
pub(super) fn draw(icon: Icon) -> Vec<u8> {
    let mut pixels = Vec::with_capacity((SIZE * SIZE * 4) as usize);
    let scale = UNITS / SIZE as f32;
    for row in 0..SIZE {
        for column in 0..SIZE {
            let at = ((column as f32 + 0.5) * scale, (row as f32 + 0.5) * scale);
            let [red, green, blue, opacity] = colour_at(icon, at, scale);
            pixels.extend([red, green, blue, opacity].map(|value| (value * 255.0).round() as u8));
        }
    }
    pixels
}

fn colour_at(icon: Icon, at: (f32, f32), pixel: f32) -> [f32; 4] {
    let cover = |distance: f32| (0.5 - distance / pixel).clamp(0.0, 1.0);
    let tile_colour = if icon == Icon::Offline { GREY } else { BLUE };
    let opacity = cover(tile(at));
    let mut colour = blend(tile_colour, WHITE, cover(anchor(at)));
    let Some((mark_colour, sign)) = mark(icon, at) else {
        return with(colour, opacity);
    };
    let disc = (at.0 - MARK.0).hypot(at.1 - MARK.1) - MARK_RADIUS;
    colour = blend(colour, WHITE, cover(disc - RIM));
    colour = blend(colour, mark_colour, cover(disc));
    colour = blend(colour, WHITE, cover(sign));
    with(colour, opacity.max(cover(disc - RIM)))
}

/// The colour of the mark, and the distance to the sign on it.
fn mark(icon: Icon, at: (f32, f32)) -> Option<(Colour, f32)> {
    let (x, y) = MARK;
    let stroke = |from: (f32, f32), to: (f32, f32)| segment(at, from, to) - 1.0;
    match icon {
        Icon::Idle => None,
        Icon::Active => {
            let shaft = stroke((x, y + 3.5), (x, y - 3.5));
            let left = stroke((x, y - 3.5), (x - 3.0, y - 0.5));
            let right = stroke((x, y - 3.5), (x + 3.0, y - 0.5));
            Some((GREEN, shaft.min(left).min(right)))
        }
        Icon::Paused => {
            let left = stroke((x - 2.0, y - 2.5), (x - 2.0, y + 2.5));
            let right = stroke((x + 2.0, y - 2.5), (x + 2.0, y + 2.5));
            Some((GREY, left.min(right)))
        }
        Icon::Attention => {
            let bar = stroke((x, y - 3.5), (x, y + 0.5));
            let dot = (at.0 - x).hypot(at.1 - (y + 3.8)) - 1.2;
            Some((AMBER, bar.min(dot)))
        }
        Icon::Offline => {
            let down = stroke((x - 2.5, y - 2.5), (x + 2.5, y + 2.5));
            let up = stroke((x - 2.5, y + 2.5), (x + 2.5, y - 2.5));
            Some((GREY, down.min(up)))
        }
    }
}

/// A square with round corners.
fn tile((x, y): (f32, f32)) -> f32 {
    let (half, corner) = (UNITS / 2.0 - 1.0, 7.0);
    let across = (x - UNITS / 2.0).abs() - (half - corner);
    let down = (y - UNITS / 2.0).abs() - (half - corner);
    across.max(0.0).hypot(down.max(0.0)) + across.max(down).min(0.0) - corner
}

fn anchor(at: (f32, f32)) -> f32 {
    let (x, y) = at;
    let width = 1.3;
    let ring = ((x - 16.0).hypot(y - 8.5) - 2.7).abs() - width;
    let shank = segment(at, (16.0, 11.5), (16.0, 25.5)) - width;
    let stock = segment(at, (11.5, 14.5), (20.5, 14.5)) - width;
    // The lower half of a circle.
    let below = (x - 16.0).hypot(y - 17.0) - 8.5;
    let arms = if y >= 17.5 {
        below.abs() - width
    } else {
        segment(at, (7.5, 17.5), (7.5, 17.5)).min(segment(at, (24.5, 17.5), (24.5, 17.5))) - width
    };
    ring.min(shank).min(stock).min(arms)
}

/// The distance to a line between two points.
fn segment((x, y): (f32, f32), from: (f32, f32), to: (f32, f32)) -> f32 {
    let (along_x, along_y) = (to.0 - from.0, to.1 - from.1);
    let length = along_x * along_x + along_y * along_y;
    let part = if length == 0.0 {
        0.0
    } else {
        (((x - from.0) * along_x + (y - from.1) * along_y) / length).clamp(0.0, 1.0)
    };
    (x - from.0 - part * along_x).hypot(y - from.1 - part * along_y)
}

fn blend(below: Colour, above: Colour, cover: f32) -> Colour {
    let mut mixed = below;
    for (channel, value) in mixed.iter_mut().zip(above) {
        *channel += (value - *channel) * cover;
    }
    mixed
}

fn with([red, green, blue]: Colour, opacity: f32) -> [f32; 4] {
    [red, green, blue, opacity]
}
