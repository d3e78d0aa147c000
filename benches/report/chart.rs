//! The report's pictures: bars, and lines of growth.

use std::fmt::Write as _;

/// A provider or a baseline, in the same colour in every picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Series {
    /// The name in tables and pictures.
    pub(crate) name: &'static str,
    /// The explanation in a legend.
    meaning: &'static str,
    colour: &'static str,
}

pub(crate) const OURS: Series = Series { name: "this provider", meaning: "", colour: "#2563eb" };
pub(crate) const PEER: Series =
    Series { name: "Go framework", meaning: ": a provider in Go that does the same work", colour: "#94a3b8" };
pub(crate) const LIMIT: Series =
    Series { name: "limit", meaning: ": what the calls take at 200 a second", colour: "#f59e0b" };
pub(crate) const TERRAFORM: Series =
    Series { name: "Terraform", meaning: ": as many terraform_data, without a provider", colour: "#7c3aed" };

const WIDTH: usize = 660;
const LINE: usize = 20;
/// The width of the labels to the left of bars and axes.
const LABELS: usize = 130;

/// Bars on one scale.
#[derive(Debug)]
pub(crate) struct Group {
    pub(crate) title: String,
    pub(crate) bars: Vec<Bar>,
}

#[derive(Debug)]
pub(crate) struct Bar {
    pub(crate) name: &'static str,
    pub(crate) series: Series,
    pub(crate) value: f64,
}

/// The figures of a series for fleets of growing size.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) series: Series,
    points: Vec<Point>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Point {
    applications: usize,
    pub(crate) seconds: f64,
    /// In MB, where there is a provider.
    pub(crate) memory: Option<f64>,
}

impl Line {
    pub(crate) fn new(series: Series) -> Self {
        Self { series, points: Vec::new() }
    }

    pub(crate) fn add(&mut self, applications: usize, seconds: f64, memory: Option<f64>) {
        self.points.push(Point { applications, seconds, memory });
    }

    pub(crate) fn at(&self, applications: usize) -> Option<Point> {
        self.points.iter().find(|point| point.applications == applications).copied()
    }
}

/// Draws groups of bars below a legend.
pub(crate) fn bars(groups: &[Group]) -> String {
    const LENGTH: f64 = (WIDTH - LABELS - 90) as f64;
    let mut svg = String::new();
    let mut y = legend(&mut svg, groups.iter().flat_map(|group| &group.bars).map(|bar| bar.series));
    for Group { title, bars } in groups {
        y += LINE;
        text(&mut svg, 8.0, y, "font-weight=\"bold\"", title);
        let largest = bars.iter().map(|bar| bar.value).fold(f64::MIN_POSITIVE, f64::max);
        for Bar { name, series, value } in bars {
            y += LINE;
            let (length, top) = (value.max(0.0) / largest * LENGTH, y - LINE * 3 / 5);
            text(&mut svg, (LABELS - 8) as f64, y, "text-anchor=\"end\"", name);
            let colour = series.colour;
            svg += &format!("<rect x=\"{LABELS}\" y=\"{top}\" width=\"{length:.1}\" height=\"14\" fill=\"{colour}\"/>");
            text(&mut svg, LABELS as f64 + length + 6.0, y, "", &figure(*value));
        }
        y += LINE;
    }
    picture(y, &svg)
}

/// Draws time and memory against the number of applications, on logarithmic scales.
pub(crate) fn growth(lines: &[Line]) -> String {
    let mut svg = String::new();
    let mut y = legend(&mut svg, lines.iter().map(|line| line.series));
    for (title, figure) in [
        ("A plan, s", (|point: &Point| Some(point.seconds)) as fn(&Point) -> Option<f64>),
        ("The provider's peak memory, MB", |point: &Point| point.memory),
    ] {
        let curves = lines.iter().map(|line| {
            let points = line.points.iter().filter_map(|point| Some((point.applications as f64, figure(point)?)));
            (line.series, points.collect::<Vec<_>>())
        });
        y = panel(&mut svg, y + LINE, title, &curves.collect::<Vec<_>>());
    }
    picture(y, &svg)
}

/// Draws one diagram below `y`, and returns where it ends.
fn panel(svg: &mut String, y: usize, title: &str, curves: &[(Series, Vec<(f64, f64)>)]) -> usize {
    const HEIGHT: f64 = 180.0;
    const SPAN: f64 = (WIDTH - LABELS - 90) as f64;
    let (left, top) = (LABELS as f64, (y + LINE) as f64);
    let points = || curves.iter().flat_map(|(_, points)| points);
    let (columns, rows) = (decades(points().map(|point| point.0)), decades(points().map(|point| point.1)));
    let place = |value: f64, (first, last): (i32, i32)| (value.log10() - f64::from(first)) / f64::from(last - first);
    let x = |value: f64| left + place(value, columns) * SPAN;
    let y_of = |value: f64| top + HEIGHT - place(value, rows) * HEIGHT;

    text(svg, 8.0, y, "font-weight=\"bold\"", title);
    let mut rule = |x1: f64, y1: f64, x2: f64, y2: f64| {
        *svg += &format!("<path d=\"M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}\" stroke=\"#e2e8f0\"/>");
    };
    let powers = |(first, last): (i32, i32)| (first..=last).map(|power| 10_f64.powi(power));
    powers(columns).for_each(|value| rule(x(value), top, x(value), top + HEIGHT));
    powers(rows).for_each(|value| rule(left, y_of(value), left + SPAN, y_of(value)));
    for value in powers(columns) {
        text(svg, x(value), (top + HEIGHT) as usize + LINE, "text-anchor=\"middle\"", &value.to_string());
    }
    for value in powers(rows) {
        text(svg, left - 8.0, y_of(value) as usize + 5, "text-anchor=\"end\"", &value.to_string());
    }
    for (Series { colour, .. }, points) in curves {
        let path: Vec<_> = points.iter().map(|(a, b)| format!("{:.1} {:.1}", x(*a), y_of(*b))).collect();
        *svg += &format!("<path d=\"M{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>", path.join("L"));
        for (a, b) in points {
            *svg += &format!("<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\" fill=\"{colour}\"/>", x(*a), y_of(*b));
        }
    }
    text(svg, left + SPAN, (top + HEIGHT) as usize + 2 * LINE, "text-anchor=\"end\"", "applications");
    (top + HEIGHT) as usize + 3 * LINE
}

/// Returns the powers of ten around all values.
fn decades(values: impl Iterator<Item = f64> + Clone) -> (i32, i32) {
    let least = values.clone().fold(f64::INFINITY, f64::min).log10().floor() as i32;
    let most = values.fold(0.0, f64::max).log10().ceil() as i32;
    (least, most.max(least + 1))
}

/// Explains each series once, and returns where the legend ends.
fn legend(svg: &mut String, series: impl Iterator<Item = Series>) -> usize {
    let (mut y, mut names) = (LINE, Vec::new());
    for Series { name, meaning, colour } in series {
        if !names.contains(&name) {
            names.push(name);
            let _ =
                write!(svg, "<rect x=\"8\" y=\"{}\" width=\"14\" height=\"14\" fill=\"{colour}\"/>", y - LINE * 3 / 5);
            text(svg, 28.0, y, "", &format!("{name}{meaning}"));
            y += LINE;
        }
    }
    y
}

fn text(svg: &mut String, x: f64, y: usize, attributes: &str, text: &str) {
    let separator = if attributes.is_empty() { "" } else { " " };
    *svg += &format!("<text x=\"{x:.1}\" y=\"{y}\"{separator}{attributes}>{text}</text>\n");
}

/// Formats a figure with about three digits.
fn figure(value: f64) -> String {
    let digits = if value < 1.0 { 2 } else { usize::from(value < 100.0) };
    format!("{value:.digits$}")
}

fn picture(height: usize, content: &str) -> String {
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" viewBox=\"0 0 {WIDTH} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n{content}</svg>\n"
    )
}
