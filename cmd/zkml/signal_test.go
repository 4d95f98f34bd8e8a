//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// signaller is a log that sends the process a signal at the first line with a text.
type signaller struct {
	bytes.Buffer
	at   string
	once sync.Once
}

func (s *signaller) Write(line []byte) (int, error) {
	if strings.Contains(string(line), s.at) {
		s.once.Do(func() { syscall.Kill(os.Getpid(), syscall.SIGTERM) })
	}
	return s.Buffer.Write(line)
}

// TestTerminate ends the command by SIGTERM while it calibrates and while it compiles:
// it says so, and leaves no file behind.
func TestTerminate(t *testing.T) {
	for _, step := range []string{"calibrating", "writing the circuit"} {
		folder := t.TempDir()
		log := &signaller{at: "begin step=" + step}
		if strings.Contains(step, " ") {
			log.at = `begin step="` + step + `"`
		}
		model := filepath.Join("..", "..", "testdata", "lenet5")
		var out bytes.Buffer
		code := run([]string{"compile", filepath.Join(model, "model.onnx"), "--samples", filepath.Join(model, "samples.json"), "-v", "-o", filepath.Join(folder, "m.zkml")}, nil, &out, log)
		if code != exitInternal || !strings.Contains(log.String(), "zkml: interrupted") {
			t.Errorf("%s: exit code %d: %s", step, code, log)
		}
		if files, err := os.ReadDir(folder); err != nil || len(files) > 0 {
			t.Errorf("%s: %v, %v", step, files, err)
		}
	}
}
