package main

import (
	"fmt"
	"html"
	"math"
	"strings"
)

// chart is a drawing of quantities against rows, both axes logarithmic. Its colours are
// such that it can lie on white and on black.
type chart struct {
	title, x, y string
	series      []series
}

// series are the points of one prover.
type series struct {
	name   string
	colour string
	points []point
}

// point is one circuit.
type point struct {
	name string // for the reader who points at it
	x, y float64
}

// Sizes of a drawing, in pixels.
const (
	chartWidth, chartHeight        = 720, 420
	marginLeft, marginRight        = 84, 44
	marginTop, marginBottom        = 44, 84
	neutral                        = "#808890" // of axes and text
	decade                         = 10.0
	plotWidth, plotHeight, ellipse = chartWidth - marginLeft - marginRight, chartHeight - marginTop - marginBottom, 4
)

// axis maps values from a power of ten to another onto pixels.
type axis struct {
	first, last float64 // exponents
	from, to    float64 // pixels
}

// newAxis returns the axis that holds all values.
func newAxis(values []float64, from, to float64) axis {
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		lo, hi = min(lo, v), max(hi, v)
	}
	a := axis{math.Floor(math.Log10(lo)), math.Ceil(math.Log10(hi)), from, to}
	if a.first == a.last {
		a.last++
	}
	return a
}

func (a axis) at(v float64) float64 {
	return a.from + (a.to-a.from)*(math.Log10(v)-a.first)/(a.last-a.first)
}

// svg draws the chart: an SVG 1.1 document without scripts or outside resources.
func (c *chart) svg() string {
	var xs, ys []float64
	for _, s := range c.series {
		for _, p := range s.points {
			xs, ys = append(xs, p.x), append(ys, p.y)
		}
	}
	var b strings.Builder
	text := func(x, y float64, attributes, s string) {
		fmt.Fprintf(&b, "<text x=\"%.1f\" y=\"%.1f\" %s>%s</text>\n", x, y, attributes, html.EscapeString(s))
	}
	fmt.Fprintf(&b, "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" width=\"%[1]d\" height=\"%[2]d\" role=\"img\" font-family=\"sans-serif\" font-size=\"13\" fill=\"%s\">\n",
		chartWidth, chartHeight, neutral)
	fmt.Fprintf(&b, "<title>%s</title>\n", html.EscapeString(c.title))
	text(chartWidth/2, 24, `text-anchor="middle" font-size="16"`, c.title)
	if len(xs) > 0 {
		x := newAxis(xs, marginLeft, marginLeft+plotWidth)
		y := newAxis(ys, marginTop+plotHeight, marginTop)
		c.grid(&b, x, y)
		for i, s := range c.series {
			s.draw(&b, x, y)
			left := marginLeft + float64(i)*plotWidth/float64(len(c.series))
			fmt.Fprintf(&b, "<circle cx=\"%.1f\" cy=\"%d\" r=\"%d\" fill=\"%s\"/>\n", left+6, chartHeight-16, ellipse+1, s.colour)
			text(left+18, chartHeight-12, `text-anchor="start"`, s.name)
		}
	}
	text(marginLeft+plotWidth/2, chartHeight-42, `text-anchor="middle"`, c.x)
	text(18, marginTop+plotHeight/2, fmt.Sprintf(`text-anchor="middle" transform="rotate(-90 18 %d)"`, marginTop+plotHeight/2), c.y)
	b.WriteString("</svg>\n")
	return b.String()
}

// grid draws a line at each power of ten, and a fainter one at its multiples.
func (c *chart) grid(b *strings.Builder, x, y axis) {
	line := func(x1, y1, x2, y2, opacity float64) {
		fmt.Fprintf(b, "<path d=\"M%.1f %.1fL%.1f %.1f\" stroke=\"%s\" stroke-opacity=\"%.2f\"/>\n", x1, y1, x2, y2, neutral, opacity)
	}
	ticks := func(a axis, draw func(at, opacity float64), label func(at float64, s string)) {
		for e := a.first; e <= a.last; e++ {
			v := math.Pow(decade, e)
			draw(a.at(v), 0.5)
			label(a.at(v), quantity(v))
			for k := 2.0; k < decade && e < a.last; k++ {
				draw(a.at(k*v), 0.12)
			}
		}
	}
	ticks(x, func(at, opacity float64) { line(at, y.from, at, y.to, opacity) },
		func(at float64, s string) {
			fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", at, y.from+18, s)
		})
	ticks(y, func(at, opacity float64) { line(x.from, at, x.to, at, opacity) },
		func(at float64, s string) {
			fmt.Fprintf(b, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", x.from-8, at+4, s)
		})
}

// draw draws a mark for each point; pointing at it shows the circuit and its value.
func (s *series) draw(b *strings.Builder, x, y axis) {
	for _, p := range s.points {
		fmt.Fprintf(b, "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"%d\" fill=\"%s\"><title>%s</title></circle>\n",
			x.at(p.x), y.at(p.y), ellipse, s.colour, html.EscapeString(fmt.Sprintf("%s, %s: %s", p.name, s.name, quantity(p.y))))
	}
}

// quantity writes a number as people do: 0.01, 2.5, 10,000.
func quantity(v float64) string {
	if v < 100 {
		return strings.TrimRight(strings.TrimRight(fmt.Sprintf("%.3f", v), "0"), ".")
	}
	return thousands(int64(math.Round(v)))
}

// thousands writes an integer with commas.
func thousands(v int64) string {
	digits := fmt.Sprint(v)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// Colours of the provers.
const (
	blue, orange, green = "#2f81f7", "#e36209", "#2da44e"
)

// charts are the drawings of a run, by file name.
func charts(r *result) map[string]*chart {
	const rows = "rows of zkml's circuit for the model"
	seconds := func(f *figures, prover string) float64 {
		return map[string]float64{"ours": f.Ours, "gnark": f.Gnark}[prover]
	}
	memory := func(f *figures, prover string) float64 { return f.PeakMemory[prover] }
	all := map[string]*chart{
		"time.svg":   {title: "Time of a proof", x: rows, y: "seconds"},
		"memory.svg": {title: "Peak memory of a proof", x: rows, y: "megabytes"},
	}
	for name, value := range map[string]func(*figures, string) float64{"time.svg": seconds, "memory.svg": memory} {
		for _, s := range []series{{name: "zkml", colour: blue}, {name: "gnark, same circuit", colour: orange}} {
			prover := "ours"
			if s.colour == orange {
				prover = "gnark"
			}
			for _, f := range r.Circuits {
				if v := value(f, prover); v > 0 {
					s.points = append(s.points, point{f.Name, float64(f.Rows), v})
				}
			}
			all[name].series = append(all[name].series, s)
		}
		theirs := series{name: "EZKL, its circuit", colour: green}
		for _, f := range r.Circuits {
			for _, e := range f.EZKL {
				v := e.Prove
				if name == "memory.svg" {
					v = e.PeakMemory
				}
				if v > 0 && e.SameAs == "" {
					theirs.points = append(theirs.points, point{f.Name + ", " + e.Target, float64(f.Rows), v})
				}
			}
		}
		if theirs.points != nil {
			all[name].series = append(all[name].series, theirs)
		}
	}
	return all
}
