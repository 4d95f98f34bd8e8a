// Package child runs a worker as a child process of the program that serves.
//
// A proof takes every processor and much memory. In a process of its own, at a lower
// priority, it leaves the interface and the queue the processor whenever they want it; and
// when the system ends it for its memory, they stay, and another child takes over.
//
// # What parent and child say to each other
//
// The child's standard input is a pipe that only the parent holds. Its first line, the
// greeting, is what the child needs and nobody else on the machine shall see in a command
// line. A second line tells the child to end in its own time. Where the pipe ends without
// one, the parent is gone, killed perhaps, and the child ends at once: what it would record
// has no place to go. On Linux the system kills the child with its parent besides.
package child

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os/exec"
	"runtime"
	"time"
)

// Program is a command that is kept running.
type Program struct {
	// Args is the command line, with the name that the program goes by.
	Args []string
	// Greeting is a line without its end.
	Greeting string
	Stderr   io.Writer
	// Patience is how long a child that was told to end may take before it is killed.
	Patience time.Duration
	// Backoff is the wait before a child that ended is replaced. It doubles with each, up to
	// MaxBackoff, and begins anew after a child that lived longer than that.
	Backoff, MaxBackoff time.Duration
	// Ended, if set, is told of a child that ended though nobody wanted it to.
	Ended func(pid int)
	Log   *slog.Logger
}

// Hopeless is the exit code of a child that none would do better than, EX_CONFIG of sysexits.h.
// It has to be one that nothing but such a child ends with: Go's own code for a panic in any
// goroutine is 2.
const Hopeless = 78

// end is the line that tells a child to end.
const end = "end\n"

// Run keeps a child of this program's own file running until ctx ends, and then returns when
// the child has ended. It also returns when one has ended with Hopeless.
func (p Program) Run(ctx context.Context) error {
	for wait := p.Backoff; ; {
		begin := time.Now()
		pid, err := p.once(ctx)
		var exit *exec.ExitError
		if ctx.Err() != nil || errors.As(err, &exit) && exit.ExitCode() == Hopeless {
			return err
		}
		if p.Ended != nil && pid != 0 {
			p.Ended(pid)
		}
		if time.Since(begin) > p.MaxBackoff {
			wait = p.Backoff
		}
		why := "it ended by itself"
		if err != nil {
			why = err.Error()
		}
		p.Log.Warn("the worker ended and is started again", "why", why, "lived", time.Since(begin), "in", wait)
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
		wait = min(2*wait, p.MaxBackoff)
	}
}

// once runs one child, and returns its id, 0 if it wasn't started. The error is the child's.
func (p Program) once(ctx context.Context) (pid int, err error) {
	done := make(chan struct{})
	// A thread's priority goes to the processes that it starts, and the system's bond between
	// parent and child is with the thread: so this one waits for the child, and goes with it.
	go func() {
		defer close(done)
		runtime.LockOSThread()
		pid, err = p.live(ctx)
	}()
	<-done
	return pid, err
}

// live starts a child on this thread and waits for its end.
func (p Program) live(ctx context.Context) (pid int, err error) {
	self, err := executable()
	if err != nil {
		return 0, fmt.Errorf("start a worker: %w", err)
	}
	lowerThread()
	cmd := &exec.Cmd{Path: self, Args: p.Args, Stderr: p.Stderr, SysProcAttr: bound(), WaitDelay: time.Second}
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, fmt.Errorf("start a worker: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return 0, errors.Join(fmt.Errorf("start a worker: %w", err), in.Close())
	}
	expendable(cmd.Process.Pid)
	io.WriteString(in, p.Greeting+"\n")
	gone := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		io.WriteString(in, end)
		select {
		case <-gone:
		case <-time.After(p.Patience):
			cmd.Process.Kill()
		}
	})
	err = cmd.Wait()
	close(gone)
	stop()
	if err != nil {
		err = fmt.Errorf("the worker: %w", err)
	}
	return cmd.Process.Pid, err
}

// maxGreeting bounds the greeting, in bytes.
const maxGreeting = 64 << 10

// Attach is the child's side: it reads the greeting from its standard input, and returns a
// context that ends when the parent wants the child to. It calls lost when the parent is
// gone, which has to end the program.
func Attach(ctx context.Context, in io.Reader, lost func()) (string, context.Context, error) {
	lines := bufio.NewReaderSize(in, maxGreeting)
	greeting, err := lines.ReadSlice('\n')
	if err != nil {
		return "", nil, fmt.Errorf("read the parent's greeting: %w", err)
	}
	text := string(greeting[:len(greeting)-1])
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		for {
			line, err := lines.ReadSlice('\n')
			if err != nil {
				lost()
				return
			}
			if string(line) == end {
				cancel()
			}
		}
	}()
	return text, ctx, nil
}
