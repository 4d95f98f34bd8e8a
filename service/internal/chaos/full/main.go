// Command full puts the prover service to the test on this machine: load against the
// library's speed, programs killed, frozen and cut off, disks that are full and clocks that
// are wrong, a soak, and a restart with jobs queued. Its last line sums it up:
//
//	chaos: J jobs, K kills, L lost, D doubled, throughput ratio R
//
// What is lost and doubled is counted by client processes, from their own lists of accepted
// jobs. It fails if a limit is missed: something lost or doubled, refused or without a proof
// that verifies; a ratio below 0.9; an API that answers one of a hundred requests after 100 ms
// or later while proving; memory that grows by more than a tenth. It wants two idle cores,
// and takes some twelve minutes.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/zkml-go/zkml/service/internal/chaos"
	"github.com/zkml-go/zkml/service/internal/load"
)

// Limits of what it must show.
const (
	minRatio  = 0.9
	maxP99    = 100 // milliseconds
	maxGrowth = 0.10
	maxTime   = 58 * time.Minute
)

// scale divides the numbers of jobs and kills, to try the program out.
var scale = flag.Int("scale", 1, "divide the numbers of jobs and kills by `N`")

// only names the parts to run.
var only = flag.String("only", "load,storm,faults,soak,restart", "which `parts` to run, separated by commas")

func main() {
	if len(os.Args) > 1 && os.Args[1] == "node" {
		if err := chaos.RunNode(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	seed := flag.Uint64("seed", uint64(time.Now().UnixNano()), "draws who is killed when")
	models := flag.String("testdata", "testdata", "`folder` of the models")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ctx, cancel := context.WithTimeout(ctx, maxTime)
	defer cancel()
	err := run(ctx, *seed, *models)
	if err != nil && err != errMissed { // that one has been told
		fmt.Fprintln(os.Stderr, "chaos:", err)
	}
	if err != nil {
		os.Exit(1)
	}
}

// errMissed is returned if a limit was missed.
var errMissed = errors.New("limits were missed")

// sums are what the last line says, and what went wrong.
type sums struct {
	jobs, kills, lost, doubled int
	ratio                      float64
	wrong                      []error
}

func (s *sums) fail(format string, args ...any) {
	s.wrong = append(s.wrong, fmt.Errorf(format, args...))
}

// add takes a report in.
func (s *sums) add(part string, r *load.Report, err error) {
	if err != nil {
		s.fail("%s: %w", part, err)
	}
	if r == nil {
		return
	}
	s.jobs += r.Jobs
	s.lost += len(r.Lost)
	s.doubled += len(r.Doubled)
	if err := r.Err(); err != nil {
		s.fail("%s: %w", part, err)
	}
	fmt.Printf("%s: %d jobs, %d verified, %d taken over, %.0f s, %.2f proofs/s, latency p50 %.1f ms, p99 %.1f ms, %d answers repeated\n",
		part, r.Jobs, r.Verified, r.TakenOver, r.Seconds, r.Throughput, r.Latency.P50, r.Latency.P99, r.Unanswered)
}

// run runs all parts and sums them up.
func run(ctx context.Context, seed uint64, models string) error {
	folder, err := os.MkdirTemp("", "zkml-chaos-")
	if err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	fmt.Printf("seed %d, log %s\n", seed, log.Name())
	bench, err := build(ctx, folder, log, seed)
	if err != nil {
		return err
	}
	if models, err = filepath.Abs(models); err != nil {
		return err
	}
	s := &sums{}
	n := func(many int) int { return max(1, many / *scale) }
	mlp, lenet, small := filepath.Join(models, "mlp"), filepath.Join(models, "lenet5"), filepath.Join(models, "diabetes")
	for _, part := range []struct {
		name string
		do   func(context.Context)
	}{
		{"load", func(ctx context.Context) {
			r, ratio, err := bench.Throughput(ctx, []load.Mix{{Folder: mlp, Jobs: n(450)}, {Folder: lenet, Jobs: n(50)}}, 50)
			s.add("load", r, err)
			if s.ratio = ratio; ratio < minRatio {
				s.fail("load: throughput ratio %.3f, want %.2f", ratio, minRatio)
			}
			if r != nil && r.Latency.P99 >= maxP99 {
				s.fail("load: p99 of the API's latency %.1f ms, want less than %d ms; %+v", r.Latency.P99, maxP99, r.Operation)
			}
		}},
		{"storm", func(ctx context.Context) {
			r, err := bench.Storm(ctx, chaos.Storm{
				Model: mlp, Jobs: n(200), Clients: 8, Kills: n(50), Stalls: n(3), Cuts: n(2), Takeover: 3 * time.Second, CutTime: 15 * time.Second,
			})
			if r == nil {
				s.fail("storm: %w", err)
				return
			}
			s.add("storm", &r.Report, err)
			for _, kills := range r.Kills {
				s.kills += kills
			}
			fmt.Printf("storm: killed %v\n", r.Kills)
			if r.Crashes > 0 {
				s.fail("storm: programs ended by themselves %d times", r.Crashes)
			}
		}},
		{"faults", func(ctx context.Context) {
			if err := faults(ctx, log); err != nil {
				s.fail("faults: %w", err)
			}
		}},
		{"soak", func(ctx context.Context) {
			r, err := bench.Soak(ctx, []load.Mix{{Folder: small, Jobs: n(1000)}}, 8)
			s.add("soak", r, err)
			if r == nil {
				return
			}
			if len(r.Memory) == 0 {
				s.fail("soak: nobody's memory was seen")
			}
			for _, m := range r.Memory {
				fmt.Printf("soak: process %d held at most %v MiB in each fifth\n", m.PID, mebibytes(m.Peaks[:]))
				if m.Growth > maxGrowth {
					s.fail("soak: memory of process %d grew by %.1f %%", m.PID, 100*m.Growth)
				}
			}
		}},
		{"restart", func(ctx context.Context) {
			r, err := bench.Restart(ctx, load.Mix{Folder: mlp, Jobs: n(112)}, n(100))
			s.add("restart", r, err)
			s.kills++
		}},
	} {
		if slices.Contains(strings.Split(*only, ","), part.name) && ctx.Err() == nil {
			part.do(ctx)
		}
	}
	if err := ctx.Err(); err != nil {
		s.fail("cut short: %w", err)
	}
	for _, err := range s.wrong {
		fmt.Println("MISSED", err)
	}
	if s.wrong == nil {
		os.RemoveAll(folder)
	}
	fmt.Printf("chaos: %d jobs, %d kills, %d lost, %d doubled, throughput ratio %.3f\n", s.jobs, s.kills, s.lost, s.doubled, s.ratio)
	if s.wrong != nil {
		return errMissed
	}
	return nil
}

// build builds the programs.
func build(ctx context.Context, folder string, log *os.File, seed uint64) (*chaos.Bench, error) {
	command := exec.CommandContext(ctx, "go", "build", "-o", folder+string(filepath.Separator), "./cmd/zkml", "./service/internal/load/loadclient")
	command.Stdout, command.Stderr = os.Stderr, os.Stderr
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("build the programs: %w", err)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return &chaos.Bench{
		Zkml: []string{filepath.Join(folder, "zkml")}, Load: []string{filepath.Join(folder, "loadclient")}, Node: []string{self, "node"},
		Folder: folder, Log: log, Seed: seed,
	}, nil
}

// faults runs the tests that break disks and clocks through what is injected.
func faults(ctx context.Context, log *os.File) error {
	command := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-run", "DiskFull|Damage|Clock|BrokenOff|Takeover|CollectTwice|LateSweep|RefusedTogether",
		"./service", "./service/embedded", "./service/queue")
	command.Stdout, command.Stderr = log, log
	if err := command.Run(); err != nil {
		return fmt.Errorf("full disks, damaged blobs and wrong clocks: %w; see the log", err)
	}
	fmt.Println("faults: full disks, damaged blobs, wrong clocks: passed")
	return nil
}

// mebibytes turns bytes into them.
func mebibytes(bytes []int64) []int64 {
	out := make([]int64, len(bytes))
	for i, n := range bytes {
		out[i] = n >> 20
	}
	return out
}
