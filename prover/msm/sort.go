package msm

// prepare sorts the digits of c's scalars from..to in a window by bucket: the entries
// of the digits ±d go to bucket d.
func (a *adder) prepare(c *column, w window, from, to int) sorted {
	start := resize(&a.sort.start, 1<<(w.width-1)+3)
	clear(start)
	digits := resize(&a.digit, to-from)
	total := 0
	for i := range digits {
		d := w.digit(&c.value[from+i])
		digits[i] = d
		sign := d >> 31
		if b := (d ^ sign) - sign; b != 0 {
			start[b+2]++
			total++
		}
	}
	// start[b+1] becomes where bucket b's entries begin, then, as they are written,
	// where the next one goes: at the end it is where bucket b+1's begin.
	for b := 3; b < len(start); b++ {
		start[b] += start[b-1]
	}
	entries := resize(&a.sort.entries, total)
	for i, d := range digits {
		if d == 0 {
			continue
		}
		sign := d >> 31
		next := &start[(d^sign)-sign+1]
		entries[*next] = c.index[from+i]<<1 | uint32(sign)&1
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
