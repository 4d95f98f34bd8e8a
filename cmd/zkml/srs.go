package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/prover/srs"
)

func (a *app) srsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "srs",
		Short: "manage structured reference strings, which keys are made with",
		Long: `A structured reference string comes from a public ceremony, as a .ptau file. It is
checked when it is imported and kept in a cache: $` + srs.CacheVariable + `/srs, or zkml/srs in
the user's cache folder. The development string is made here; its secret is public.`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(a.srsDevCommand(), a.srsImportCommand(), a.srsVerifyCommand(), a.srsListCommand())
	return cmd
}

// srsResult describes one string, of a file or in the cache.
type srsResult struct {
	Name        string `json:"name"`
	ID          string `json:"id"`
	Log         int    `json:"log"`
	Development bool   `json:"development"`
	Published   bool   `json:"published"`
	Digest      string `json:"digest,omitempty"` // BLAKE2b-512 of the file
	Path        string `json:"path,omitempty"`
	Bytes       int64  `json:"bytes,omitempty"`
	Error       string `json:"error,omitempty"`
}

func (a *app) srsDevCommand() *cobra.Command {
	var log int
	cmd := &cobra.Command{
		Use:   "dev --log N",
		Short: "make and cache the development string for a domain of 2^N rows",
		Args:  exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			if log < 1 || log > maxDevelopmentLog {
				return usagef("--log %d: want 1 to %d", log, maxDevelopmentLog)
			}
			cache, err := srs.DefaultCache()
			if err != nil {
				return err
			}
			p := a.progress()
			defer p.done()
			p.start("making the development srs")
			s, err := cache.Development(log)
			if err != nil {
				return err
			}
			p.done()
			a.notice("the development srs is for development only: its secret is public, and anyone can forge proofs for its keys")
			r := srsResult{Name: s.Name, ID: s.ID().String(), Log: s.Log, Development: true}
			return a.emit(r, func(w io.Writer) { printable.Fprintf(w, "%s, 2^%d, id %s\n", r.Name, r.Log, r.ID) })
		},
	}
	cmd.Flags().IntVar(&log, "log", 17, "binary logarithm of the domain")
	return cmd
}

// maxDevelopmentLog is the largest development string that is made on request: 4 GiB.
const maxDevelopmentLog = 25

func (a *app) srsImportCommand() *cobra.Command {
	var o srs.ImportOptions
	cmd := &cobra.Command{
		Use:   "import FILE.ptau",
		Short: "check a ceremony's file and put its string into the cache",
		Long: `Import checks the file's digest against the published one, checks by a pairing that
all its powers are of one secret, and caches what the prover needs.`,
		Args: exactArgs("FILE.ptau"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cache, err := srs.DefaultCache()
			if err != nil {
				return err
			}
			p := a.progress()
			defer p.done()
			p.start("checking " + args[0])
			o.Progress = p.part
			ceremony, entries, err := cache.Import(cmd.Context(), args[0], o)
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			p.done()
			r := struct {
				srsResult
				Entries int `json:"entries"`
			}{describeCeremony(ceremony), len(entries)}
			return a.emit(r, func(w io.Writer) {
				printCeremony(w, &r.srsResult)
				printable.Fprintf(w, "cached\t%d sizes\n", r.Entries)
			})
		},
	}
	cmd.Flags().StringVar(&o.Digest, "digest", "", "the published BLAKE2b-512 of the file, if it isn't of a known ceremony")
	cmd.Flags().IntVar(&o.MaxLog, "max-log", 0, "leave out domains larger than 2^N")
	return cmd
}

func (a *app) srsVerifyCommand() *cobra.Command {
	var digest string
	cmd := &cobra.Command{
		Use:   "verify FILE.ptau|ID",
		Short: "check a ceremony's file, or a cached string again",
		Args:  exactArgs("FILE.ptau|ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			p := a.progress()
			defer p.done()
			p.start("checking " + args[0])
			if _, err := os.Stat(args[0]); err != nil {
				return a.verifyCached(args[0])
			}
			ceremony, err := srs.VerifyFile(cmd.Context(), args[0], srs.ImportOptions{Digest: digest, Progress: p.part})
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			p.done()
			r := describeCeremony(ceremony)
			return a.emit(r, func(w io.Writer) { printCeremony(w, &r) })
		},
	}
	cmd.Flags().StringVar(&digest, "digest", "", "the published BLAKE2b-512 of the file, if it isn't of a known ceremony")
	return cmd
}

// verifyCached checks all cached entries of one string.
func (a *app) verifyCached(id string) error {
	cache, err := srs.DefaultCache()
	if err != nil {
		return err
	}
	entries, err := cache.List()
	if err != nil {
		return err
	}
	var results []srsResult
	for i := range entries {
		e := &entries[i]
		if e.Err != nil || len(id) < 8 || !strings.HasPrefix(e.ID.String(), strings.TrimPrefix(id, "0x")) && !strings.HasPrefix(e.Source, id) {
			continue
		}
		if err := cache.Verify(e); err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
		results = append(results, describeEntry(e))
	}
	if len(results) == 0 {
		return fmt.Errorf("%w: %q is neither a file nor the first 8 or more digits of a cached string's id", srs.ErrMissing, id)
	}
	return a.emit(struct {
		Entries []srsResult `json:"entries"`
	}{results}, func(w io.Writer) {
		for _, r := range results {
			printable.Fprintf(w, "good\t%s\t2^%d\t%s\n", r.Name, r.Log, r.ID)
		}
	})
}

func (a *app) srsListCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "ls",
		Short: "list the cached strings",
		Args:  exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			cache, err := srs.DefaultCache()
			if err != nil {
				return err
			}
			entries, err := cache.List()
			if err != nil {
				return err
			}
			results := make([]srsResult, len(entries))
			for i := range entries {
				results[i] = describeEntry(&entries[i])
			}
			return a.emit(struct {
				Folder  string      `json:"folder"`
				Entries []srsResult `json:"entries"`
			}{cache.Folder(), results}, func(w io.Writer) { printEntries(w, results) })
		},
	}
}

func printEntries(w io.Writer, results []srsResult) {
	if len(results) == 0 {
		fmt.Fprintln(w, "the cache is empty")
		return
	}
	fmt.Fprintln(w, "DOMAIN\tNAME\tSIZE\tID")
	for _, r := range results {
		if r.Error != "" {
			printable.Fprintf(w, "-\t%s\t%s\t%s\n", r.Path, describeSize(r.Bytes), r.Error)
			continue
		}
		printable.Fprintf(w, "2^%d\t%s\t%s\t%.16s…\n", r.Log, r.Name, describeSize(r.Bytes), r.ID)
	}
}

func describeCeremony(c *srs.Ceremony) srsResult {
	return srsResult{Name: c.Name, ID: c.ID.String(), Log: c.Log, Published: c.Published, Digest: c.Digest}
}

func describeEntry(e *srs.Entry) srsResult {
	r := srsResult{Path: e.Path, Bytes: e.Bytes}
	if e.Err != nil {
		r.Error = e.Err.Error()
		return r
	}
	r.Name, r.ID, r.Log, r.Digest = e.Name, e.ID.String(), e.Log, e.Source
	r.Development, r.Published = e.Development(), srs.CeremonyName(e.ID) != ""
	return r
}

func printCeremony(w io.Writer, r *srsResult) {
	published := "not of a ceremony that this program knows"
	if r.Published {
		published = "published"
	}
	printable.Fprintf(w, "name\t%s, %s\n", r.Name, published)
	printable.Fprintf(w, "domains\tup to 2^%d\n", r.Log)
	printable.Fprintf(w, "id\t%s\n", r.ID)
	printable.Fprintf(w, "blake2b\t%s\n", r.Digest)
}
