// Package atomicfile writes files that appear whole or not at all.
package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// Write writes a file through a temporary one beside it, which takes its place once
// all of it is on the disk. The mode is that of a new file, before the user's umask.
// What is there and isn't a regular file, such as a device or a pipe, is written to
// and not replaced.
func Write(path string, mode fs.FileMode, write func(io.Writer) error) error {
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return err
		}
		return errors.Join(write(f), f.Close())
	}
	f, err := create(path, mode)
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails where the file was renamed, as it should be
	if err := errors.Join(write(f), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// create makes a temporary file beside path. Unlike os.CreateTemp it leaves the mode
// to the caller, and to the umask.
func create(path string, mode fs.FileMode) (*os.File, error) {
	const attempts = 100
	var err error
	for range attempts {
		name := filepath.Join(filepath.Dir(path), fmt.Sprintf(".%s.%d.tmp", filepath.Base(path), rand.Uint64()))
		var f *os.File
		if f, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode); !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return nil, err
}
