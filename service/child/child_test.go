//go:build unix

package child

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestMain is also what the tests start: "child KIND" is a child, "parent FOLDER" a parent
// that is killed.
func TestMain(m *testing.M) {
	if len(os.Args) < 3 {
		os.Exit(m.Run())
	}
	switch os.Args[1] {
	case "child":
		os.Exit(behave(os.Args[2]))
	case "parent":
		p := program("good", os.Args[2])
		p.Run(context.Background())
	default:
		os.Exit(m.Run())
	}
}

// program is a child of a kind that writes into a folder, which is its greeting.
func program(kind, folder string) Program {
	return Program{
		Args: []string{"zkml", "child", kind}, Greeting: folder, Stderr: io.Discard, Patience: 10 * time.Second,
		Backoff: time.Millisecond, MaxBackoff: 10 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	}
}

// behave is a child.
func behave(kind string) int {
	folder, ctx, err := Attach(context.Background(), os.Stdin, func() { os.Exit(3) })
	if err != nil {
		return 2
	}
	nice, _ := unix.Getpriority(unix.PRIO_PROCESS, 0)
	write(folder, "started", fmt.Sprint(os.Getpid(), " ", nice))
	switch kind {
	case "deaf":
		select {}
	case "hopeless":
		return Hopeless
	case "panic":
		go func() { panic("in a goroutine that nothing guards") }()
	}
	<-ctx.Done()
	write(folder, "ended", "")
	return 0
}

// write makes a file at once.
func write(folder, name, text string) {
	part := filepath.Join(folder, fmt.Sprint(name, os.Getpid()))
	os.WriteFile(part, []byte(text), 0o600)
	os.Rename(part, filepath.Join(folder, name))
}

// await reads a file once it is there, and removes it.
func await(t *testing.T, folder, name string) string {
	t.Helper()
	for range 1000 {
		if text, err := os.ReadFile(filepath.Join(folder, name)); err == nil {
			os.Remove(filepath.Join(folder, name))
			return string(text)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("no child has %s", name)
	return ""
}

// pidOf is the child that wrote a text, and its priority.
func pidOf(t *testing.T, text string) (pid, nice int) {
	t.Helper()
	if _, err := fmt.Sscan(text, &pid, &nice); err != nil {
		t.Fatal(err)
	}
	return pid, nice
}

// TestRun kills a child, which is replaced, and has the next one end in its own time.
func TestRun(t *testing.T) {
	folder := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var log bytes.Buffer
	p := program("good", folder)
	p.Log = slog.New(slog.NewTextHandler(&log, nil))
	ended := make(chan int, 1)
	p.Ended = func(pid int) { ended <- pid }
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	first, nice := pidOf(t, await(t, folder, "started"))
	own, err := unix.Getpriority(unix.PRIO_PROCESS, 0)
	if runtime.GOOS == "linux" {
		// The system call's answer is 20 minus the priority.
		own, nice = 20-own, 20-nice
		if err != nil || nice != min(own+niceness, 19) {
			t.Errorf("the child's priority is %d, this program's %d, %v", nice, own, err)
		}
		score, err := os.ReadFile(fmt.Sprintf("/proc/%d/oom_score_adj", first))
		if err != nil || strings.TrimSpace(string(score)) != "500" {
			t.Errorf("the child's score is %s, %v", score, err)
		}
	}
	syscall.Kill(first, syscall.SIGKILL)
	second, _ := pidOf(t, await(t, folder, "started"))
	if told := <-ended; first == second || told != first {
		t.Errorf("child %d ended, %d is told of, and %d is there", first, told, second)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "ended")); err != nil {
		t.Error("the child was killed:", err)
	}
	if !strings.Contains(log.String(), "killed") {
		t.Errorf("the log doesn't tell of the child's end: %s", &log)
	}
}

// TestDeaf kills a child that doesn't end.
func TestDeaf(t *testing.T) {
	folder := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	p := program("deaf", folder)
	p.Patience = 50 * time.Millisecond
	done := make(chan error)
	go func() { done <- p.Run(ctx) }()
	await(t, folder, "started")
	cancel()
	var ended *exec.ExitError
	if err := <-done; !errors.As(err, &ended) {
		t.Error(err)
	}
}

// TestHopeless doesn't replace a child that says so.
func TestHopeless(t *testing.T) {
	p := program("hopeless", t.TempDir())
	var ended *exec.ExitError
	if err := p.Run(t.Context()); !errors.As(err, &ended) || ended.ExitCode() != Hopeless {
		t.Error(err)
	}
}

// TestPanic replaces a child each time that one of its goroutines panics.
func TestPanic(t *testing.T) {
	folder := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	var log bytes.Buffer
	p := program("panic", folder)
	p.Log = slog.New(slog.NewTextHandler(&log, nil))
	ended := make(chan int)
	p.Ended = func(pid int) {
		select {
		case ended <- pid:
		case <-ctx.Done():
		}
	}
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	for range 2 {
		select {
		case <-ended:
		case err := <-done:
			t.Fatalf("a panic is taken for hopeless: %v", err)
		}
	}
	cancel()
	<-done
	if !strings.Contains(log.String(), "exit status 2") {
		t.Errorf("the children ended otherwise: %s", &log)
	}
}

// TestOrphan kills a parent: its child ends too.
func TestOrphan(t *testing.T) {
	folder := t.TempDir()
	parent := exec.Command(os.Args[0], "parent", folder)
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	pid, _ := strconv.Atoi(strings.Fields(await(t, folder, "started"))[0])
	parent.Process.Kill()
	parent.Wait()
	for range 500 {
		if gone(pid) {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the child lives on")
	syscall.Kill(pid, syscall.SIGKILL)
}

// gone reports whether a process has ended, though nobody may have asked how.
func gone(pid int) bool {
	if runtime.GOOS != "linux" {
		return syscall.Kill(pid, 0) == syscall.ESRCH
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err != nil || bytes.Contains(status, []byte(") Z "))
}

// TestAttach has a pipe that is told to end, and then breaks.
func TestAttach(t *testing.T) {
	r, w := io.Pipe()
	go io.WriteString(w, "hello\nnonsense\n")
	lost := make(chan struct{})
	greeting, ctx, err := Attach(t.Context(), r, func() { close(lost) })
	if err != nil || greeting != "hello" || ctx.Err() != nil {
		t.Fatal(greeting, err)
	}
	io.WriteString(w, end)
	<-ctx.Done()
	select {
	case <-lost:
		t.Error("the parent is there")
	default:
	}
	w.Close()
	<-lost
	for _, bad := range []string{"", "no line", strings.Repeat("x", maxGreeting+1) + "\n"} {
		if _, _, err := Attach(t.Context(), strings.NewReader(bad), func() {}); err == nil {
			t.Errorf("a greeting of %d bytes was taken", len(bad))
		}
	}
}
