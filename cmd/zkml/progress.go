package main

import (
	"os"
	"sync"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
)

// progress shows what is being done, on a terminal only. Everywhere it logs the steps
// and how long each took.
type progress struct {
	app *app

	mu     sync.Mutex
	bars   *mpb.Progress // nil where there is no terminal
	bar    *mpb.Bar
	step   string
	since  time.Time
	closed bool
}

// partSteps is the resolution of a bar.
const partSteps = 1000

// progress begins to show progress; the caller ends it with done.
func (a *app) progress() *progress {
	p := &progress{app: a}
	if f, ok := a.stderr.(*os.File); ok && !a.quiet && !a.verbose && isatty.IsTerminal(f.Fd()) {
		p.bars = mpb.New(mpb.WithOutput(f), mpb.WithWidth(40))
	}
	return p
}

// start ends the step before and begins one.
func (p *progress) start(step string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
	p.step, p.since = step, time.Now()
	p.app.log.Debug("begin", "step", step)
	if p.bars != nil {
		p.bar = p.bars.New(partSteps, mpb.BarStyle().Rbound("]").Lbound("["),
			mpb.BarRemoveOnComplete(),
			mpb.PrependDecorators(decor.Name(step, decor.WCSyncSpaceR)),
			mpb.AppendDecorators(decor.Elapsed(decor.ET_STYLE_GO)))
	}
}

// part says how much of the step is done, up to 1.
func (p *progress) part(part float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.bar != nil {
		p.bar.SetCurrent(min(int64(part*partSteps), partSteps-1))
	}
}

// done ends the last step and clears the bars. It may be called more than once.
func (p *progress) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finish()
	if p.bars != nil && !p.closed {
		p.bars.Wait()
	}
	p.closed = true
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
