package tensor_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/zkml-go/zkml/tensor"
)

func TestShape(t *testing.T) {
	cases := []struct {
		shape   tensor.Shape
		size    int
		strides string
		text    string
	}{
		{nil, 1, "[]", "[]"},
		{tensor.Shape{}, 1, "[]", "[]"},
		{tensor.Shape{7}, 7, "[1]", "[7]"},
		{tensor.Shape{2, 3, 4}, 24, "[12 4 1]", "[2 3 4]"},
		{tensor.Shape{2, 0, 4}, 0, "[0 4 1]", "[2 0 4]"},
		{tensor.Shape{1, 1, 28, 28}, 784, "[784 784 28 1]", "[1 1 28 28]"},
	}
	for _, c := range cases {
		if got := c.shape.Size(); got != c.size {
			t.Errorf("%v has size %d, expected %d", c.shape, got, c.size)
		}
		if got := fmt.Sprint(c.shape.Strides()); got != c.strides {
			t.Errorf("%v has strides %s, expected %s", c.shape, got, c.strides)
		}
		if got := c.shape.String(); got != c.text {
			t.Errorf("found %s, expected %s", got, c.text)
		}
		if err := c.shape.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestShapeCheck(t *testing.T) {
	cases := []struct {
		name  string
		shape tensor.Shape
		want  string
	}{
		{"negative", tensor.Shape{2, -1}, "dimension 1 is negative"},
		{"negative beside zero", tensor.Shape{0, -1}, "dimension 1 is negative"},
		{"one too many elements", tensor.Shape{tensor.MaxElements + 1}, "more than"},
		{"product too large", tensor.Shape{1 << 14, 1 << 15}, "more than"},
		{"product that wraps an int64", tensor.Shape{1 << 28, 1 << 28, 1 << 28}, "more than"},
		{"dimension beyond 32 bits", tensor.Shape{math.MaxInt64}, "above the limit"},
		{"zero beside a huge dimension", tensor.Shape{0, math.MaxInt64}, "above the limit"},
		{"too many axes", make(tensor.Shape, tensor.MaxRank+1), "axes"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.shape.Check(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("found %v, expected %q", err, c.want)
			}
		})
	}
	if err := (tensor.Shape{tensor.MaxElements}).Check(); err != nil {
		t.Errorf("at the limit: %v", err)
	}
}

func TestShapeEqualAndClone(t *testing.T) {
	s := tensor.Shape{2, 3}
	c := s.Clone()
	if !s.Equal(c) || s.Equal(tensor.Shape{2}) || s.Equal(tensor.Shape{3, 2}) || !tensor.Shape(nil).Equal(tensor.Shape{}) {
		t.Error("Equal is wrong")
	}
	c[0] = 9
	if s[0] != 2 {
		t.Error("a clone shares its dimensions")
	}
}

func TestNew(t *testing.T) {
	if y := tensor.New[float64](tensor.Shape{2, 3}); len(y.Data) != 6 {
		t.Errorf("%d elements", len(y.Data))
	}
}
