package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Dir is a Bucket in a folder, a file for each blob.
type Dir struct {
	root *os.Root
	disk Disk
	// lasting are the folders of blobs that would be there after a loss of power.
	lasting sync.Map
}

// Disk is what blobs are written to. Tests put one between a Dir and its folder that is full,
// or forgets.
type Disk interface {
	// Create makes a file that isn't there.
	Create(name string) (File, error)
}

// File is a file that is being written.
type File interface {
	io.WriteCloser
	// Sync returns once what was written lasts.
	Sync() error
}

// folder is the usual Disk.
type folder struct{ *os.Root }

// Create implements Disk.
func (f folder) Create(name string) (File, error) {
	return f.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
}

// temporary is the folder of blobs that aren't whole yet.
const temporary = "incomplete"

// OpenDir returns the bucket in a folder, which is made if it isn't there.
func OpenDir(path string) (*Dir, error) {
	if err := os.MkdirAll(filepath.Join(path, temporary), 0o700); err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("blobs: %w", err)
	}
	return &Dir{root: root, disk: folder{root}}, nil
}

// On has the Dir write to what wrap makes of its disk.
func (d *Dir) On(wrap func(Disk) Disk) *Dir {
	d.disk = wrap(d.disk)
	return d
}

// Close releases the folder.
func (d *Dir) Close() error { return d.root.Close() }

// Put implements Bucket: the file is written beside its place, synchronized and renamed.
func (d *Dir) Put(ctx context.Context, name string, r io.Reader) error {
	if !ValidName(name) {
		return fmt.Errorf("store a blob: %q is no name", name)
	}
	part := filepath.Join(temporary, filepath.Base(PrivateName("part")))
	file, err := d.disk.Create(part)
	if err != nil {
		return fmt.Errorf("store a blob: %w", err)
	}
	_, err = io.Copy(file, &cancellable{ctx, r})
	if err = errors.Join(err, file.Sync(), file.Close()); err == nil {
		err = d.place(part, name)
	}
	if err != nil {
		return fmt.Errorf("store a blob: %w", errors.Join(err, d.root.Remove(part)))
	}
	return nil
}

// place moves a whole file to its place, so that it is there after a loss of power.
func (d *Dir) place(part, name string) error {
	folder := filepath.Dir(filepath.FromSlash(name))
	_, lasting := d.lasting.Load(folder)
	if !lasting {
		if err := d.root.MkdirAll(folder, 0o700); err != nil {
			return err
		}
	}
	err := d.root.Rename(part, filepath.FromSlash(name))
	if lasting && errors.Is(err, fs.ErrNotExist) {
		d.lasting.Delete(folder) // someone removed it
		return d.place(part, name)
	}
	if err != nil {
		return err
	}
	if err := d.sync(folder); err != nil || lasting {
		return err
	}
	for above := folder; above != "."; {
		above = filepath.Dir(above)
		if err := d.sync(above); err != nil {
			return err
		}
	}
	d.lasting.Store(folder, nil)
	return nil
}

// sync makes a folder's entries last.
func (d *Dir) sync(folder string) error {
	f, err := d.root.Open(folder)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Open implements Bucket.
func (d *Dir) Open(_ context.Context, name string) (io.ReadCloser, error) {
	if !ValidName(name) {
		return nil, fmt.Errorf("blob %q: %w", name, ErrMissing)
	}
	return d.root.Open(filepath.FromSlash(name))
}

// Stat implements Bucket.
func (d *Dir) Stat(_ context.Context, name string) (Info, error) {
	if !ValidName(name) {
		return Info{}, fmt.Errorf("blob %q: %w", name, ErrMissing)
	}
	info, err := d.root.Stat(filepath.FromSlash(name))
	if err != nil {
		return Info{}, err
	}
	return Info{name, info.Size(), info.ModTime()}, nil
}

// Touch implements Bucket.
func (d *Dir) Touch(ctx context.Context, name string) (Info, error) {
	if !ValidName(name) {
		return Info{}, fmt.Errorf("blob %q: %w", name, ErrMissing)
	}
	now := time.Now()
	if err := d.root.Chtimes(filepath.FromSlash(name), now, now); err != nil {
		return Info{}, err
	}
	return d.Stat(ctx, name)
}

// Delete implements Bucket.
func (d *Dir) Delete(_ context.Context, name string) error {
	if !ValidName(name) {
		return nil
	}
	if err := d.root.Remove(filepath.FromSlash(name)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// List implements Bucket.
func (d *Dir) List(ctx context.Context, prefix string, visit func(Info) error) error {
	start := strings.TrimSuffix(prefix, "/")
	if !ValidPrefix(prefix) {
		return fmt.Errorf("blobs: no prefix %q", prefix)
	}
	err := fs.WalkDir(d.root.FS(), start, func(path string, entry fs.DirEntry, err error) error {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return visit(Info{path, info.Size(), info.ModTime()})
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Sweep implements Store.
func (d *Dir) Sweep(_ context.Context, before time.Time) error {
	entries, err := fs.ReadDir(d.root.FS(), temporary)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if info, err := entry.Info(); err == nil && info.ModTime().Before(before) {
			err = d.root.Remove(filepath.Join(temporary, entry.Name()))
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
	}
	return nil
}

// cancellable fails once ctx has ended.
type cancellable struct {
	ctx context.Context
	r   io.Reader
}

// Read implements io.Reader.
func (c *cancellable) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
