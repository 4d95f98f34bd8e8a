// Package evm runs contracts where no chain is: in go-ethereum's virtual machine under the
// rules of the Osaka fork, so that a proof can be tried against the very bytecode that will
// be deployed, with its gas and its code size.
//
// [Verify] has zkml's verifier check a proof; its bytecode is part of package solidity.
// [Deploy] compiles and runs a model's own contract. Compiling needs Node.js and npm's solc
// package ([FindCompiler] says where they are looked for); `make tools` installs the
// package. Nothing here talks to a network.
package evm

import (
	"bytes"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/core/vm/runtime"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"

	"github.com/zkml-go/zkml/verifier/solidity"
)

// osaka is a chain on which every fork up to Osaka has happened. go-ethereum's
// runtime would otherwise take Cancun, where the verifier is cheaper.
func osaka() *params.ChainConfig {
	config := *params.MergedTestChainConfig
	return &config
}

// Deployed is a contract in a virtual machine of its own. It is not safe for
// concurrent use.
type Deployed struct {
	// Address is where it lies.
	Address common.Address
	// DeploymentGas is the gas of the transaction that created it.
	DeploymentGas uint64

	abi    abi.ABI
	config runtime.Config
}

// DeployArtifact creates a contract of package solidity in a new virtual machine. It
// needs no compiler.
func DeployArtifact(a solidity.Artifact) (*Deployed, error) {
	parsed, err := abi.JSON(bytes.NewReader(a.ABI))
	if err != nil {
		return nil, fmt.Errorf("deploying %s: ABI: %w", a.Name, err)
	}
	d, err := deploy(a.Creation, parsed)
	if err != nil {
		return nil, fmt.Errorf("deploying %s: %w", a.Name, err)
	}
	return d, nil
}

// deploy runs creation code in a new virtual machine.
func deploy(creation []byte, parsed abi.ABI) (*Deployed, error) {
	db, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		return nil, fmt.Errorf("starting the virtual machine: %w", err)
	}
	first := &Deployed{config: runtime.Config{ChainConfig: osaka(), State: db, GasLimit: params.MaxTxGas}}
	return first.Create(creation, parsed)
}

// Create runs creation code, with the constructor's arguments behind it, in the virtual
// machine of a contract, whose errors the new one may pass on. The error is a
// *RevertError if it reverts.
func (d *Deployed) Create(creation []byte, parsed abi.ABI) (*Deployed, error) {
	d = &Deployed{abi: passingErrors(parsed, d.abi), config: d.config}
	answer, address, left, err := runtime.Create(creation, &d.config)
	if err != nil {
		return nil, d.revert(answer, err)
	}
	d.Address = address
	d.DeploymentGas, err = d.transactionGas(nil, creation, params.MaxTxGas-left)
	return d, err
}

// Fork returns the contract in a copy of its virtual machine, in which calls change nothing
// in this one.
func (d *Deployed) Fork() *Deployed {
	fork := *d
	fork.config.State = d.config.State.Copy()
	return &fork
}

// Code returns the runtime code at an address.
func (d *Deployed) Code(address common.Address) []byte { return d.config.State.GetCode(address) }

// Result is what a call did.
type Result struct {
	// Output is the ABI-encoded answer; empty after a revert.
	Output []byte
	// ExecutionGas is the gas that the code used, TransactionGas that of a
	// transaction that makes this call: with its base fee and its calldata, and
	// never less than the floor of EIP-7623.
	ExecutionGas, TransactionGas uint64
	// Revert says why the call failed, nil if it succeeded.
	Revert *RevertError
}

// RevertError is a call that reverted or ran out of gas.
type RevertError struct {
	// Name is the custom error's name; empty if the contract gave none.
	Name string
	// Args are the custom error's arguments.
	Args []any
	// Data is what the contract reverted with.
	Data []byte
	// Cause is the virtual machine's reason.
	Cause error
}

// Error implements error.
func (e *RevertError) Error() string {
	if e.Name == "" {
		return fmt.Sprintf("%v (%d bytes of data)", e.Cause, len(e.Data))
	}
	args := make([]string, len(e.Args))
	for i, arg := range e.Args {
		args[i] = fmt.Sprint(arg)
	}
	return e.Name + "(" + strings.Join(args, ", ") + ")"
}

// Unwrap returns the virtual machine's reason.
func (e *RevertError) Unwrap() error { return e.Cause }

// Conditions are what a contract sees of a call besides its calldata.
type Conditions struct {
	Sender        common.Address
	Time, ChainID uint64
}

// CallUnder is Call by somebody, at a time, on a chain.
func (d *Deployed) CallUnder(c Conditions, calldata []byte) (*Result, error) {
	under := *d
	under.config.Origin, under.config.Time = c.Sender, c.Time
	under.config.ChainConfig = osaka()
	under.config.ChainConfig.ChainID = new(big.Int).SetUint64(c.ChainID)
	return under.Call(calldata)
}

// Call runs calldata as a transaction would. It returns an error only if the
// machine itself can't run it; a revert is in the result.
func (d *Deployed) Call(calldata []byte) (*Result, error) {
	output, left, err := runtime.Call(d.Address, calldata, &d.config)
	// What the next transaction pays for storage depends on what this one left.
	d.config.State.Finalise(d.rules())
	result := &Result{ExecutionGas: d.config.GasLimit - left}
	if err != nil {
		result.Revert = d.revert(output, err)
	} else {
		result.Output = output
	}
	gas, err := d.transactionGas(&d.Address, calldata, result.ExecutionGas)
	if err != nil {
		return nil, fmt.Errorf("calling the contract: %w", err)
	}
	result.TransactionGas = gas
	return result, nil
}

// revert names the custom error in a call's answer.
func (d *Deployed) revert(data []byte, cause error) *RevertError {
	e := &RevertError{Data: data, Cause: cause}
	if !errors.Is(cause, vm.ErrExecutionReverted) || len(data) < 4 {
		return e
	}
	for _, known := range d.abi.Errors {
		if [4]byte(known.ID[:4]) != [4]byte(data[:4]) {
			continue
		}
		args, err := known.Inputs.Unpack(data[4:])
		if err != nil {
			return e
		}
		e.Name, e.Args = known.Name, args
		return e
	}
	if reason, err := abi.UnpackRevert(data); err == nil {
		e.Name, e.Args = "Error", []any{reason}
	}
	return e
}

// rules returns the rules of the chain's forks.
func (d *Deployed) rules() params.Rules {
	return d.config.ChainConfig.Rules(d.config.BlockNumber, true, d.config.Time)
}

// transactionGas returns the gas of a transaction whose code used execution gas.
func (d *Deployed) transactionGas(to *common.Address, data []byte, execution uint64) (uint64, error) {
	rules := d.rules()
	value := new(uint256.Int)
	intrinsic, err := core.IntrinsicGas(data, nil, nil, d.config.Origin, to, value, rules)
	if err != nil {
		return 0, err
	}
	floor, err := core.FloorDataGas(rules, d.config.Origin, to, value, data, nil)
	if err != nil {
		return 0, err
	}
	return max(intrinsic+execution, floor), nil
}
