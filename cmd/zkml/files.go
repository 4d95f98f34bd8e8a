package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/internal/atomicfile"
	"github.com/zkml-go/zkml/prover"
)

// beside returns the path with its extension replaced: model.zkml and .vk give
// model.vk.
func beside(path, extension string) string {
	return strings.TrimSuffix(path, filepath.Ext(path)) + extension
}

// writeFile writes a file that appears whole or not at all. The path "-" is standard
// output.
func (a *app) writeFile(path string, write func(w io.Writer) error) error {
	if path == "-" {
		return write(a.stdout)
	}
	return a.writeMode(path, 0o644, write)
}

// writeMode is writeFile with the file's permissions, and never to standard output.
func (a *app) writeMode(path string, mode fs.FileMode, write func(w io.Writer) error) error {
	if err := atomicfile.Write(path, mode, write); err != nil {
		return outputError(path, err)
	}
	a.log.Debug("wrote", "file", path)
	return nil
}

// writeSecrets writes salts where only the user can read them.
func (a *app) writeSecrets(path string, s *zkml.Secrets) error {
	return a.writeMode(path, 0o600, writer(s))
}

// outputError names the path rather than the temporary file.
func outputError(path string, err error) error {
	var failed *fs.PathError
	var rename *os.LinkError
	if errors.As(err, &failed) {
		err = failed.Err
	} else if errors.As(err, &rename) {
		err = rename.Err
	}
	return fmt.Errorf("write %s: %w", path, err)
}

// readFile opens a file for a reader of package prover or zkml, and names it in the
// reader's errors.
func readFile[T any](path string, read func(io.Reader) (T, error)) (T, error) {
	var none T
	f, err := os.Open(path)
	if err != nil {
		return none, err
	}
	defer f.Close()
	if stat, err := f.Stat(); err == nil && stat.IsDir() {
		return none, usagef("%s is a folder, not a file", path)
	}
	v, err := read(f)
	if err != nil {
		return none, fmt.Errorf("%s: %w", path, err)
	}
	return v, nil
}

// openModel reads a compiled model and compiles its circuit.
func openModel(ctx context.Context, path string) (*zkml.Model, error) {
	m, err := readFile(path, func(r io.Reader) (*zkml.Model, error) { return zkml.Open(ctx, r) })
	if errors.Is(err, prover.ErrMismatch) && filepath.Ext(path) == ".onnx" {
		return nil, &hintedError{err, "compile the ONNX file first: zkml compile " + path}
	}
	return m, err
}
