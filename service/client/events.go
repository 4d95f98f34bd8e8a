package client

import (
	"bufio"
	"bytes"
	"io"
)

// maxEvent bounds the line of an event.
const maxEvent = 1 << 20

// events reads server-sent events and calls visit with the data of each.
func events(r io.Reader, visit func(data []byte) error) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, maxEvent)
	for lines.Scan() {
		if data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data:")); ok {
			if err := visit(bytes.TrimSpace(data)); err != nil {
				return err
			}
		}
	}
	return lines.Err()
}
