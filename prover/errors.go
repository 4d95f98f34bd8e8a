package prover

import (
	"errors"
	"fmt"

	"github.com/zkml-go/zkml/prover/srs"
)

// Errors that a caller acts on, each with one exit code in the command.
var (
	// ErrRejected is matched when a proof, or the file it comes in, isn't
	// acceptable: the verifier must behave as if there were none.
	ErrRejected = errors.New("proof rejected")
	// ErrMismatch is matched by every [*FileError]: files that don't belong
	// together, or one that isn't what it should be.
	ErrMismatch = errors.New("files don't belong together")
	// ErrSRS is matched when the structured reference string is missing, wrong,
	// or the development one without leave.
	ErrSRS = srs.Err
	// ErrUnknownTensor is matched when an expectation names a tensor of which
	// the public words say nothing.
	ErrUnknownTensor = errors.New("no such public tensor")
)

// FileError says which file is wrong and why. It matches [ErrMismatch].
type FileError struct {
	File   string // "model.vk", "model.pk", "model.zkml" or "proof.json": its role, not its path
	Reason string
}

// Error returns the role of the file and the reason.
func (e *FileError) Error() string { return e.File + ": " + e.Reason }

// Is reports whether target is [ErrMismatch].
func (e *FileError) Is(target error) bool { return target == ErrMismatch }

// Roles of files in a [FileError].
const (
	verifyingKeyFile = "model.vk"
	provingKeyFile   = "model.pk"
	modelFile        = "model.zkml"
	proofFile        = "proof.json"
)

func fileErrorf(file, format string, args ...any) error {
	return &FileError{file, fmt.Sprintf(format, args...)}
}

// rejectedf returns an error that matches ErrRejected.
func rejectedf(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrRejected, fmt.Errorf(format, args...))
}
