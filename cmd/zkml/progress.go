package main

import (
	"io"
	"os"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"github.com/zkml-go/zkml/internal/printable"
)

// progress shows what is being done, on a terminal only: a spinner, or a bar for steps
// that say how far they are. Everywhere it logs the steps and how long each took.
type progress struct {
	app *app

	mu       sync.Mutex
	bars     *mpb.Progress // nil where there is no terminal
	bar      *mpb.Bar
	measured bool // bar is one, and not a spinner
	step     string
	since    time.Time
}

// partSteps is the resolution of a bar.
const partSteps = 1000

// progress begins to show progress; the caller ends it with done.
func (a *app) progress() *progress {
	p := &progress{app: a}
	if isTerminal(a.stderr) && !a.quiet && !a.verbose {
		p.bars = mpb.New(mpb.WithOutput(a.stderr), mpb.WithWidth(40))
	}
	return p
}

// isTerminal reports whether somebody looks at what is written.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}

// start ends the step before and begins one.
func (p *progress) start(step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
	p.step, p.since = step, time.Now()
	p.app.log.Debug("begin", "step", step)
	if p.bars != nil {
		p.bar, p.measured = p.bars.New(partSteps, mpb.SpinnerStyle(), p.barOptions()...), false
	}
}

// barOptions place the step's name before a bar and its time behind it.
func (p *progress) barOptions() []mpb.BarOption {
	return []mpb.BarOption{
		mpb.BarRemoveOnComplete(),
		mpb.BarWidth(24),
		mpb.PrependDecorators(decor.Name(printable.Escape(p.step), decor.WCSyncSpaceR)),
		mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO)),
	}
}

// part says how much of the step is done, up to 1.
func (p *progress) part(part float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar == nil {
		return
	}
	if !p.measured {
		p.bar.Abort(true)
		p.bar, p.measured = p.bars.New(partSteps, mpb.BarStyle(), p.barOptions()...), true
	}
	p.bar.SetCurrent(min(int64(part*partSteps), partSteps-1))
}

// printf writes to standard output, above the bars where there are any.
func (p *progress) printf(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var w io.Writer = p.app.stdout
	if p.bars != nil && isTerminal(p.app.stdout) {
		w = p.bars
	}
	printable.Fprintf(w, format, args...)
}

// done ends the last step and clears the bars. It may be called more than once; no
// step begins after it.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
	if p.bars != nil {
		p.bars.Wait()
		p.bars = nil
	}
}

func (p *progress) finish() {
	if p.step != "" {
		p.app.log.Debug("end", "step", p.step, "took", time.Since(p.since))
	}
	if p.bar != nil {
		p.bar.SetCurrent(partSteps)
	}
	p.bar, p.step = nil, ""
}
