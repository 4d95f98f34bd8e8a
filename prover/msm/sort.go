package msm

// prepare sorts the digits of a task's scalars in its window by bucket: the entries of
// the digits ±d go to bucket d, zeros, so that there is no branch on them, to bucket 0.
func (a *adder) prepare(t *task) sorted {
	w := t.windows[t.pass]
	// end is where the span's scalars end that may have a digit other than 0.
	end := func(s span) int {
		if t.pass > 0 {
			return s.long
		}
		return s.to
	}
	n := 0
	for _, s := range t.spans {
		n += end(s) - s.from
	}
	digits := resize(&a.digit, n)
	n = 0
	for _, s := range t.spans {
		n += w.digits(digits[n:], t.value[s.from:end(s)])
	}
	start := resize(&a.sort.start, 1<<(w.width-1)+3)
	clear(start)
	for _, d := range digits {
		sign := d >> 31
		start[(d^sign)-sign+2]++
	}
	// start[b+1] becomes where bucket b's entries begin, then, as they are written,
	// where the next one goes: at the end it is where bucket b+1's begin.
	for b := 2; b < len(start); b++ {
		start[b] += start[b-1]
	}
	entries := a.entries(n)
	n = 0
	for _, s := range t.spans {
		for _, index := range t.index[s.from:end(s)] {
			d := digits[n]
			n++
			sign := d >> 31
			next := &start[(d^sign)-sign+1]
			entries[*next] = index<<1 | uint32(sign)&1
			*next++
		}
	}
	return sorted{entries, start[:len(start)-1]}
}

// entries returns memory for n entries, and behind it for another piece, so that a
// piece may be fetched ahead whose end isn't known.
func (a *adder) entries(n int) []entry { return resize(&a.sort.entries, n+pieceSize)[:n] }

// resize returns the first n elements of *s, which grows if it has to. Their values
// are arbitrary.
func resize[T any](s *[]T, n int) []T {
	if cap(*s) < n {
		*s = make([]T, n)
	}
	return (*s)[:n]
}
