package msm

// prepare sorts the digits of c's scalars from..to in a window by bucket: the entries
// of the digits ±d go to bucket d, zeros, so that there is no branch on them, to bucket 0.
func (a *adder) prepare(c *column, w window, from, to int) sorted {
	digits := resize(&a.digit, to-from)
	w.digits(digits, c.value[from:to])
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
	entries := resize(&a.sort.entries, len(digits))
	index := c.index[from:to]
	for i, d := range digits {
		sign := d >> 31
		next := &start[(d^sign)-sign+1]
		entries[*next] = index[i]<<1 | uint32(sign)&1
		*next++
	}
	clear(digits)
	return sorted{entries, start[:len(start)-1]}
}

// resize returns the first n elements of *s, which grows if it has to. Their values
// are arbitrary.
func resize[T any](s *[]T, n int) []T {
	if cap(*s) < n {
		*s = make([]T, n)
	}
	return (*s)[:n]
}
