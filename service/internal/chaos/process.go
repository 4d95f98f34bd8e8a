package chaos

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// Process is a program that is killed and started again. One that ends by itself is started
// again too, as an operator's supervisor does. It ends with the program that started it.
type Process struct {
	Name    string
	Command []string
	Env     []string
	Log     io.Writer

	mu      sync.Mutex
	cmd     *exec.Cmd
	ended   chan struct{} // of cmd
	wanted  bool
	crashes int
}

// restartAfter is how long a program that ended by itself stays down.
const restartAfter = 300 * time.Millisecond

// Start starts the program.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.wanted = true
	return p.start()
}

// start does it, under the lock.
func (p *Process) start() error {
	cmd := exec.Command(p.Command[0], p.Command[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = p.Env, p.Log, p.Log
	cmd.SysProcAttr = bound()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("%s: %w", p.Name, err)
	}
	fmt.Fprintf(p.Log, "chaos: %s is process %d\n", p.Name, cmd.Process.Pid)
	ended := make(chan struct{})
	p.cmd, p.ended = cmd, ended
	go func() {
		err := cmd.Wait()
		close(ended)
		p.mu.Lock()
		alone := p.wanted && p.cmd == cmd
		if alone {
			p.crashes++
			fmt.Fprintf(p.Log, "chaos: %s ended by itself: %v\n", p.Name, err)
		}
		p.mu.Unlock()
		if !alone {
			return
		}
		time.Sleep(restartAfter)
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.wanted && p.cmd == cmd {
			if err := p.start(); err != nil {
				fmt.Fprintf(p.Log, "chaos: %v\n", err)
			}
		}
	}()
	return nil
}

// Kill ends the program as a loss of power does, and waits until it is gone. It stays down.
func (p *Process) Kill() {
	p.mu.Lock()
	p.wanted = false
	cmd, ended := p.cmd, p.ended
	p.mu.Unlock()
	if cmd != nil {
		cmd.Process.Kill()
		<-ended
	}
}

// Freeze stops the program where it is, Thaw has it go on.
func (p *Process) Freeze() { p.signal(syscall.SIGSTOP) }

// Thaw ends a Freeze.
func (p *Process) Thaw() { p.signal(syscall.SIGCONT) }

func (p *Process) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd != nil {
		p.cmd.Process.Signal(s)
	}
}

// Crashes returns how often the program ended by itself.
func (p *Process) Crashes() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.crashes
}

// lockedWriter is one that several programs write to.
type lockedWriter struct {
	mu sync.Mutex
	w  *os.File
}

// Write implements io.Writer.
func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// PID returns the number of the process.
func (p *Process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.Process.Pid
}
