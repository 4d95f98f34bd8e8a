package page

import (
	"fmt"
	"math"
	"time"

	"github.com/zkml-go/zkml/service/client"
)

// bar is a drawing of a job's stages, side by side, as wide as they took long.
type bar struct {
	Parts []part
	Total float64 // seconds
}

// part is one stage.
type part struct {
	Name    string
	Seconds float64
	// X and Width are in hundredths of the bar.
	X, Width string
	// Shade tells neighbours apart, Open says that it isn't over.
	Shade int
	Open  bool
}

// shades is how many different ones the style has.
const shades = 8

// newBar draws the stages of a job as of now.
func newBar(j client.Job, now time.Time) bar {
	var b bar
	for i, s := range j.Stages {
		b.Parts = append(b.Parts, part{Name: s.Name, Seconds: s.Seconds, Shade: i % shades})
		b.Total += s.Seconds
	}
	if j.State == "running" && j.Stage != "" && j.Started != nil {
		open := math.Max(0, now.Sub(*j.Started).Seconds()-b.Total)
		b.Parts = append(b.Parts, part{Name: j.Stage, Seconds: open, Shade: len(j.Stages) % shades, Open: true})
		b.Total += open
	}
	if b.Total == 0 {
		return bar{}
	}
	x := 0.0
	for i := range b.Parts {
		width := 100 * b.Parts[i].Seconds / b.Total
		b.Parts[i].X, b.Parts[i].Width = fmt.Sprintf("%.2f", x), fmt.Sprintf("%.2f", width)
		x += width
	}
	return b
}

// seconds writes a duration for people.
func seconds(s float64) string {
	switch {
	case s < 0.9995:
		return fmt.Sprintf("%.0f ms", 1000*s)
	case s < 99.95:
		return fmt.Sprintf("%.1f s", s)
	}
	return (time.Duration(s) * time.Second).String()
}

// when writes a time for people.
func when(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05 UTC") }

// ago writes how long before now a time was.
func ago(t, now time.Time) string { return seconds(max(0, now.Sub(t).Seconds())) }

// short writes the beginning of a digest.
func short(s string) string {
	if len(s) <= 12 {
		return s
	}
	return s[:12] + "…"
}

// size writes a number of bytes for people.
func size(bytes int64) string {
	switch {
	case bytes < 1<<10:
		return fmt.Sprintf("%d bytes", bytes)
	case bytes < 1<<20:
		return fmt.Sprintf("%.1f KiB", float64(bytes)/(1<<10))
	case bytes < 1<<30:
		return fmt.Sprintf("%.1f MiB", float64(bytes)/(1<<20))
	}
	return fmt.Sprintf("%.1f GiB", float64(bytes)/(1<<30))
}
