//go:build !icicle

package gpu

import (
	"errors"
	"testing"
)

// TestStub says what to do where the program was built without CUDA.
func TestStub(t *testing.T) {
	if card, _, err := Select(Choice{Card: 1}); card != nil || !errors.Is(err, ErrNotBuilt) {
		t.Errorf("a card: %v, %v", card, err)
	}
	if card, why, err := Select(Choice{Auto: true}); card != nil || !errors.Is(why, ErrNotBuilt) || err != nil {
		t.Errorf("auto: %v, %v, %v", card, why, err)
	}
}
