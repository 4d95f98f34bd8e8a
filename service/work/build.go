package work

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/zkml-go/zkml"
	"github.com/zkml-go/zkml/circuit"
	"github.com/zkml-go/zkml/internal/inputfile"
	"github.com/zkml-go/zkml/prover"
	"github.com/zkml-go/zkml/prover/srs"
	"github.com/zkml-go/zkml/quantize"
	"github.com/zkml-go/zkml/service/blob"
	"github.com/zkml-go/zkml/service/client"
	"github.com/zkml-go/zkml/service/job"
	"github.com/zkml-go/zkml/service/seal"
)

// memoryPerPoint is what a proof and a kept prover take for each point of the domain, in
// bytes: a whole service was measured at 0.37 GB with LeNet-5's 2^17 points.
const memoryPerPoint = 4 << 10

// BuildMemory is what a build is reckoned with, in bytes, before the size of the circuit is
// known; size is that of the files.
func BuildMemory(size int64) int64 { return 512<<20 + 16*size }

// modelKeyName is what a model's key is wrapped for.
func modelKeyName(tenant, sha256 string) string { return "model " + tenant + " " + sha256 }

// prepare loads a model and its key.
func (w *Worker) prepare(ctx context.Context, record *Model) (*prepared, error) {
	tenant, sha256 := record.Tenant, record.SHA256
	var key seal.Key
	var err error
	if record.Key != nil {
		if key, err = w.Operator.Unwrap(record.Key, modelKeyName(tenant, sha256)); err != nil {
			return nil, err
		}
	}
	file, err := w.read(ctx, tenant, record.File, key)
	if err != nil {
		return nil, err
	}
	m, err := zkml.Open(ctx, bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	data, err := w.read(ctx, tenant, record.ProvingKey, key)
	if err != nil {
		return nil, err
	}
	pk, err := prover.ReadProvingKey(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	s, err := w.SRS.Load(pk.VerifyingKey().SRSID(), pk.VerifyingKey().Log())
	if err != nil {
		return nil, err
	}
	if err := pk.Attach(s); err != nil {
		return nil, err
	}
	p, err := zkml.NewProver(m, pk, w.Prover)
	if err != nil {
		return nil, err
	}
	return &prepared{model: m, prover: p, close: p.Close, memory: record.Memory}, nil
}

// build does a build job and returns the name of the model.
func (w *Worker) build(ctx context.Context, r *job.Record, key seal.Key, tell func(string)) (string, error) {
	var spec BuildSpec
	if err := json.Unmarshal(r.Spec, &spec); err != nil {
		return "", err
	}
	tell("compiling")
	m, err := w.compile(ctx, r.Tenant, &spec, key, tell)
	if err != nil {
		return "", err
	}
	if m.Settings.DatasetSize > 0 {
		return "", &userError{"unsupported", errors.New("models over data sets aren't served")}
	}
	memory := int64(m.Circuit.Domain()) * memoryPerPoint
	if w.Largest != nil {
		rows, most, err := w.Largest(ctx, r.Tenant)
		if err != nil {
			return "", err
		}
		if rows > 0 && m.Circuit.Rows() > rows || most > 0 && memory > most {
			return "", &userError{"quota", fmt.Errorf("the circuit has %d rows and needs %d bytes: that is beyond the tenant's quota", m.Circuit.Rows(), memory)}
		}
	}
	if memory > w.Memory {
		return "", &userError{"too_large", fmt.Errorf("the circuit has %d rows: this worker has no memory for it", m.Circuit.Rows())}
	}
	tell("making the keys")
	s, err := w.SRS.Select(m.DomainLog(), srs.Selection{AllowDevelopment: w.AllowDevelopment})
	if err != nil {
		return "", err
	}
	pk, vk, err := zkml.Setup(m, s)
	if err != nil {
		return "", err
	}
	tell("storing the model")
	return w.keep(ctx, r, m, pk, vk)
}

// compile makes the model of a build.
func (w *Worker) compile(ctx context.Context, tenant string, spec *BuildSpec, key seal.Key, tell func(string)) (*zkml.Model, error) {
	if spec.Model != (Source{}) {
		data, err := w.read(ctx, tenant, spec.Model, key)
		if err != nil {
			return nil, err
		}
		m, err := zkml.Open(ctx, bytes.NewReader(data))
		if errors.Is(err, prover.ErrMismatch) {
			return nil, &userError{"model", err}
		}
		return m, err
	}
	data, err := w.read(ctx, tenant, spec.ONNX, key)
	if err != nil {
		return nil, err
	}
	load, o, err := compileOptions(&spec.Options)
	if err != nil {
		return nil, &userError{"options", err}
	}
	n, err := zkml.LoadBytes(data, load)
	if err != nil {
		return nil, err
	}
	if spec.Samples != (Source{}) {
		data, err := w.read(ctx, tenant, spec.Samples, key)
		if err != nil {
			return nil, err
		}
		if o.Samples, err = inputfile.ParseSamples("samples", data, inputfile.InputsOf(n.Graph)); err != nil {
			return nil, err
		}
	}
	o.Progress = tell
	return zkml.Compile(ctx, n, o)
}

// compileOptions turns a request's options into those of package zkml.
func compileOptions(from *client.Options) (load zkml.LoadOptions, o zkml.Options, err error) {
	load = zkml.LoadOptions{Name: from.Name, Dims: from.Dims}
	o = zkml.Options{Labels: from.Labels, Strict: from.Strict, Widths: from.Widths, Batch: from.Batch}
	if from.Batch < 0 {
		return load, o, fmt.Errorf("a batch of %d: want a number of at least 1", from.Batch)
	}
	for name, n := range from.Dims {
		if n < 1 {
			return load, o, fmt.Errorf("dimension %q: want a number of at least 1", name)
		}
	}
	if load.Head, err = zkml.ParseHead(from.Head); err != nil {
		return load, o, err
	}
	if o.Target, err = quantize.ParseTarget(from.Target); err != nil {
		return load, o, err
	}
	for name, text := range from.Visibility {
		var v circuit.Visibility
		if err := v.UnmarshalText([]byte(text)); err != nil {
			return load, o, err
		}
		if o.Visibility == nil {
			o.Visibility = map[string]circuit.Visibility{}
		}
		o.Visibility[name] = v
	}
	return load, o, nil
}

// keep stores a model and its keys and records them.
func (w *Worker) keep(ctx context.Context, r *job.Record, m *zkml.Model, pk *prover.ProvingKey, vk *prover.VerifyingKey) (string, error) {
	file, err := written(func(out io.Writer) error { return m.Save(out) })
	if err != nil {
		return "", err
	}
	sha := blob.Sum(file).String()
	record := &Model{Tenant: r.Tenant, Model: describe(m)}
	record.SHA256, record.ModelID, record.Created = sha, vk.ModelID().String(), w.Queue.Now().UTC()
	if record.Hidden {
		key := seal.NewKey()
		record.Key = w.Operator.Wrap(key, modelKeyName(r.Tenant, sha))
		record.File.Private = blob.PrivateName(r.Tenant)
		err = blob.PutPrivate(ctx, w.Blobs, record.File.Private, key, bytes.NewReader(file))
	} else {
		record.File, err = w.publish(ctx, r.Tenant, file)
	}
	if err != nil {
		return "", err
	}
	for _, k := range []struct {
		from io.WriterTo
		to   *Source
	}{{pk, &record.ProvingKey}, {vk, &record.VerifyingKey}} {
		data, err := written(func(out io.Writer) error { _, err := k.from.WriteTo(out); return err })
		if err != nil {
			return "", err
		}
		if *k.to, err = w.publish(ctx, r.Tenant, data); err != nil {
			return "", err
		}
	}
	return sha, w.Models.add(ctx, record)
}

// written returns what write writes.
func written(write func(io.Writer) error) ([]byte, error) {
	var out bytes.Buffer
	err := write(&out)
	return out.Bytes(), err
}

// describe returns what everyone of the tenant may know of a model, but its names.
func describe(m *zkml.Model) client.Model {
	manifest := m.Circuit.Manifest
	d := client.Model{
		Name: manifest.Model, Rows: m.Circuit.Rows(), Domain: m.Circuit.Domain(), Memory: int64(m.Circuit.Domain()) * memoryPerPoint,
		Hidden: manifest.Weights != circuit.Fixed,
	}
	integer := map[string]bool{}
	for _, in := range inputfile.InputsOf(m.Graph) {
		integer[in.Name] = in.Integer
	}
	port := func(p *circuit.Public) client.Port {
		return client.Port{Name: p.Name, Visibility: p.Visibility.String(), Shape: p.Shape}
	}
	for i := range manifest.Inputs {
		p := port(&manifest.Inputs[i])
		p.Integer = integer[p.Name]
		d.Inputs = append(d.Inputs, p)
	}
	for i := range manifest.Outputs {
		d.Outputs = append(d.Outputs, port(&manifest.Outputs[i]))
	}
	return d
}

// Ports are the inputs that a proof takes, as the reader of inputs wants them. Those of a batch
// have its axis.
func Ports(inputs []client.Port) []inputfile.Input {
	ports := make([]inputfile.Input, len(inputs))
	for i, p := range inputs {
		ports[i] = inputfile.Input{Name: p.Name, Shape: p.Shape, Integer: p.Integer}
	}
	return ports
}
