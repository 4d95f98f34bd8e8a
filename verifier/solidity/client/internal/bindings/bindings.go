// Code generated via abigen V2 - DO NOT EDIT.
// This file is a generated binding and any manual changes will be lost.

package bindings

import (
	"bytes"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/accounts/abi/bind/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// Reference imports to suppress errors if they are not otherwise used.
var (
	_ = bytes.Equal
	_ = errors.New
	_ = big.NewInt
	_ = common.Big1
	_ = types.BloomLookup
	_ = abi.ConvertType
)

// IZkmlVerifierMetaData contains all meta data concerning the IZkmlVerifier contract.
var IZkmlVerifierMetaData = bind.MetaData{
	ABI: "[{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"modelIds\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"publicWords\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"proofs\",\"type\":\"uint256\"}],\"name\":\"BatchLengths\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"DevelopmentSrs\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"}],\"name\":\"DifferentSrs\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"EmptyBatch\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"offset\",\"type\":\"uint256\"}],\"name\":\"InvalidPoint\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"commitments\",\"type\":\"uint256\"}],\"name\":\"KeyCommitments\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"log\",\"type\":\"uint256\"}],\"name\":\"KeyDomain\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"KeyFormat\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"got\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"want\",\"type\":\"uint256\"}],\"name\":\"KeyLength\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"point\",\"type\":\"uint256\"}],\"name\":\"KeyPoint\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"commitment\",\"type\":\"uint256\"}],\"name\":\"KeyRow\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"KeyTau\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"words\",\"type\":\"uint256\"}],\"name\":\"KeyWords\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"NonCanonicalCalldata\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"PrecompileFailed\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"got\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"want\",\"type\":\"uint256\"}],\"name\":\"ProofLength\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"ProofRejected\",\"type\":\"error\"},{\"inputs\":[],\"name\":\"RegistrationFailed\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"modelId\",\"type\":\"bytes32\"}],\"name\":\"UnknownModel\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"offset\",\"type\":\"uint256\"}],\"name\":\"ValueOutOfRange\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"got\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"want\",\"type\":\"uint256\"}],\"name\":\"WordCount\",\"type\":\"error\"},{\"inputs\":[{\"internalType\":\"uint256\",\"name\":\"index\",\"type\":\"uint256\"},{\"internalType\":\"uint256\",\"name\":\"word\",\"type\":\"uint256\"}],\"name\":\"WordOutOfRange\",\"type\":\"error\"},{\"anonymous\":false,\"inputs\":[{\"indexed\":true,\"internalType\":\"bytes32\",\"name\":\"modelId\",\"type\":\"bytes32\"},{\"indexed\":false,\"internalType\":\"address\",\"name\":\"data\",\"type\":\"address\"}],\"name\":\"Registered\",\"type\":\"event\"},{\"inputs\":[],\"name\":\"acceptsDevelopmentSrs\",\"outputs\":[{\"internalType\":\"bool\",\"name\":\"accepts\",\"type\":\"bool\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"modelId\",\"type\":\"bytes32\"}],\"name\":\"dataOf\",\"outputs\":[{\"internalType\":\"address\",\"name\":\"data\",\"type\":\"address\"}],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes\",\"name\":\"vk\",\"type\":\"bytes\"}],\"name\":\"register\",\"outputs\":[{\"internalType\":\"bytes32\",\"name\":\"modelId\",\"type\":\"bytes32\"}],\"stateMutability\":\"nonpayable\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32\",\"name\":\"modelId\",\"type\":\"bytes32\"},{\"internalType\":\"uint256[]\",\"name\":\"publicWords\",\"type\":\"uint256[]\"},{\"internalType\":\"bytes\",\"name\":\"proof\",\"type\":\"bytes\"}],\"name\":\"verify\",\"outputs\":[],\"stateMutability\":\"view\",\"type\":\"function\"},{\"inputs\":[{\"internalType\":\"bytes32[]\",\"name\":\"modelIds\",\"type\":\"bytes32[]\"},{\"internalType\":\"uint256[][]\",\"name\":\"publicWords\",\"type\":\"uint256[][]\"},{\"internalType\":\"bytes[]\",\"name\":\"proofs\",\"type\":\"bytes[]\"}],\"name\":\"verifyBatch\",\"outputs\":[],\"stateMutability\":\"view\",\"type\":\"function\"}]",
	ID:  "IZkmlVerifier",
}

// IZkmlVerifier is an auto generated Go binding around an Ethereum contract.
type IZkmlVerifier struct {
	abi abi.ABI
}

// GetABI returns the ABI associated with this contract binding.
func (c *IZkmlVerifier) GetABI() abi.ABI {
	return c.abi
}

// NewIZkmlVerifier creates a new instance of IZkmlVerifier.
func NewIZkmlVerifier() *IZkmlVerifier {
	parsed, err := IZkmlVerifierMetaData.ParseABI()
	if err != nil {
		panic(errors.New("invalid ABI: " + err.Error()))
	}
	return &IZkmlVerifier{abi: *parsed}
}

// Instance creates a wrapper for a deployed contract instance at the given address.
// Use this to create the instance object passed to abigen v2 library functions Call, Transact, etc.
func (c *IZkmlVerifier) Instance(backend bind.ContractBackend, addr common.Address) *bind.BoundContract {
	return bind.NewBoundContract(addr, c.abi, backend, backend, backend)
}

// PackAcceptsDevelopmentSrs is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdf3b6d75.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function acceptsDevelopmentSrs() view returns(bool accepts)
func (iZkmlVerifier *IZkmlVerifier) PackAcceptsDevelopmentSrs() []byte {
	enc, err := iZkmlVerifier.abi.Pack("acceptsDevelopmentSrs")
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackAcceptsDevelopmentSrs is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xdf3b6d75.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function acceptsDevelopmentSrs() view returns(bool accepts)
func (iZkmlVerifier *IZkmlVerifier) TryPackAcceptsDevelopmentSrs() ([]byte, error) {
	return iZkmlVerifier.abi.Pack("acceptsDevelopmentSrs")
}

// UnpackAcceptsDevelopmentSrs is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xdf3b6d75.
//
// Solidity: function acceptsDevelopmentSrs() view returns(bool accepts)
func (iZkmlVerifier *IZkmlVerifier) UnpackAcceptsDevelopmentSrs(data []byte) (bool, error) {
	out, err := iZkmlVerifier.abi.Unpack("acceptsDevelopmentSrs", data)
	if err != nil {
		return *new(bool), err
	}
	out0 := *abi.ConvertType(out[0], new(bool)).(*bool)
	return out0, nil
}

// PackDataOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa91e11f3.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function dataOf(bytes32 modelId) view returns(address data)
func (iZkmlVerifier *IZkmlVerifier) PackDataOf(modelId [32]byte) []byte {
	enc, err := iZkmlVerifier.abi.Pack("dataOf", modelId)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackDataOf is the Go binding used to pack the parameters required for calling
// the contract method with ID 0xa91e11f3.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function dataOf(bytes32 modelId) view returns(address data)
func (iZkmlVerifier *IZkmlVerifier) TryPackDataOf(modelId [32]byte) ([]byte, error) {
	return iZkmlVerifier.abi.Pack("dataOf", modelId)
}

// UnpackDataOf is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0xa91e11f3.
//
// Solidity: function dataOf(bytes32 modelId) view returns(address data)
func (iZkmlVerifier *IZkmlVerifier) UnpackDataOf(data []byte) (common.Address, error) {
	out, err := iZkmlVerifier.abi.Unpack("dataOf", data)
	if err != nil {
		return *new(common.Address), err
	}
	out0 := *abi.ConvertType(out[0], new(common.Address)).(*common.Address)
	return out0, nil
}

// PackRegister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x82fbdc9c.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function register(bytes vk) returns(bytes32 modelId)
func (iZkmlVerifier *IZkmlVerifier) PackRegister(vk []byte) []byte {
	enc, err := iZkmlVerifier.abi.Pack("register", vk)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackRegister is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x82fbdc9c.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function register(bytes vk) returns(bytes32 modelId)
func (iZkmlVerifier *IZkmlVerifier) TryPackRegister(vk []byte) ([]byte, error) {
	return iZkmlVerifier.abi.Pack("register", vk)
}

// UnpackRegister is the Go binding that unpacks the parameters returned
// from invoking the contract method with ID 0x82fbdc9c.
//
// Solidity: function register(bytes vk) returns(bytes32 modelId)
func (iZkmlVerifier *IZkmlVerifier) UnpackRegister(data []byte) ([32]byte, error) {
	out, err := iZkmlVerifier.abi.Unpack("register", data)
	if err != nil {
		return *new([32]byte), err
	}
	out0 := *abi.ConvertType(out[0], new([32]byte)).(*[32]byte)
	return out0, nil
}

// PackVerify is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8376906b.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function verify(bytes32 modelId, uint256[] publicWords, bytes proof) view returns()
func (iZkmlVerifier *IZkmlVerifier) PackVerify(modelId [32]byte, publicWords []*big.Int, proof []byte) []byte {
	enc, err := iZkmlVerifier.abi.Pack("verify", modelId, publicWords, proof)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackVerify is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x8376906b.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function verify(bytes32 modelId, uint256[] publicWords, bytes proof) view returns()
func (iZkmlVerifier *IZkmlVerifier) TryPackVerify(modelId [32]byte, publicWords []*big.Int, proof []byte) ([]byte, error) {
	return iZkmlVerifier.abi.Pack("verify", modelId, publicWords, proof)
}

// PackVerifyBatch is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2f5a0d58.  This method will panic if any
// invalid/nil inputs are passed.
//
// Solidity: function verifyBatch(bytes32[] modelIds, uint256[][] publicWords, bytes[] proofs) view returns()
func (iZkmlVerifier *IZkmlVerifier) PackVerifyBatch(modelIds [][32]byte, publicWords [][]*big.Int, proofs [][]byte) []byte {
	enc, err := iZkmlVerifier.abi.Pack("verifyBatch", modelIds, publicWords, proofs)
	if err != nil {
		panic(err)
	}
	return enc
}

// TryPackVerifyBatch is the Go binding used to pack the parameters required for calling
// the contract method with ID 0x2f5a0d58.  This method will return an error
// if any inputs are invalid/nil.
//
// Solidity: function verifyBatch(bytes32[] modelIds, uint256[][] publicWords, bytes[] proofs) view returns()
func (iZkmlVerifier *IZkmlVerifier) TryPackVerifyBatch(modelIds [][32]byte, publicWords [][]*big.Int, proofs [][]byte) ([]byte, error) {
	return iZkmlVerifier.abi.Pack("verifyBatch", modelIds, publicWords, proofs)
}

// IZkmlVerifierRegistered represents a Registered event raised by the IZkmlVerifier contract.
type IZkmlVerifierRegistered struct {
	ModelId [32]byte
	Data    common.Address
	Raw     *types.Log // Blockchain specific contextual infos
}

const IZkmlVerifierRegisteredEventName = "Registered"

// ContractEventName returns the user-defined event name.
func (IZkmlVerifierRegistered) ContractEventName() string {
	return IZkmlVerifierRegisteredEventName
}

// UnpackRegisteredEvent is the Go binding that unpacks the event data emitted
// by contract.
//
// Solidity: event Registered(bytes32 indexed modelId, address data)
func (iZkmlVerifier *IZkmlVerifier) UnpackRegisteredEvent(log *types.Log) (*IZkmlVerifierRegistered, error) {
	event := "Registered"
	if len(log.Topics) == 0 {
		return nil, bind.ErrNoEventSignature
	}
	if log.Topics[0] != iZkmlVerifier.abi.Events[event].ID {
		return nil, bind.ErrEventSignatureMismatch
	}
	out := new(IZkmlVerifierRegistered)
	if len(log.Data) > 0 {
		if err := iZkmlVerifier.abi.UnpackIntoInterface(out, event, log.Data); err != nil {
			return nil, err
		}
	}
	var indexed abi.Arguments
	for _, arg := range iZkmlVerifier.abi.Events[event].Inputs {
		if arg.Indexed {
			indexed = append(indexed, arg)
		}
	}
	if err := abi.ParseTopics(out, indexed, log.Topics[1:]); err != nil {
		return nil, err
	}
	out.Raw = log
	return out, nil
}

// UnpackError attempts to decode the provided error data using user-defined
// error definitions.
func (iZkmlVerifier *IZkmlVerifier) UnpackError(raw []byte) (any, error) {
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["BatchLengths"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackBatchLengthsError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["DevelopmentSrs"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackDevelopmentSrsError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["DifferentSrs"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackDifferentSrsError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["EmptyBatch"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackEmptyBatchError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["InvalidPoint"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackInvalidPointError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["KeyCommitments"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackKeyCommitmentsError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["KeyDomain"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackKeyDomainError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["KeyFormat"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackKeyFormatError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["KeyLength"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackKeyLengthError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["KeyPoint"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackKeyPointError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["KeyRow"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackKeyRowError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["KeyTau"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackKeyTauError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["KeyWords"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackKeyWordsError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["NonCanonicalCalldata"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackNonCanonicalCalldataError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["PrecompileFailed"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackPrecompileFailedError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["ProofLength"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackProofLengthError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["ProofRejected"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackProofRejectedError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["RegistrationFailed"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackRegistrationFailedError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["UnknownModel"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackUnknownModelError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["ValueOutOfRange"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackValueOutOfRangeError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["WordCount"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackWordCountError(raw[4:])
	}
	if bytes.Equal(raw[:4], iZkmlVerifier.abi.Errors["WordOutOfRange"].ID.Bytes()[:4]) {
		return iZkmlVerifier.UnpackWordOutOfRangeError(raw[4:])
	}
	return nil, errors.New("Unknown error")
}

// IZkmlVerifierBatchLengths represents a BatchLengths error raised by the IZkmlVerifier contract.
type IZkmlVerifierBatchLengths struct {
	ModelIds    *big.Int
	PublicWords *big.Int
	Proofs      *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error BatchLengths(uint256 modelIds, uint256 publicWords, uint256 proofs)
func IZkmlVerifierBatchLengthsErrorID() common.Hash {
	return common.HexToHash("0xffb48c5527714c2b3f17c1d4a8369bad27a17ceed881f88bc4fcc06bcf541fae")
}

// UnpackBatchLengthsError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error BatchLengths(uint256 modelIds, uint256 publicWords, uint256 proofs)
func (iZkmlVerifier *IZkmlVerifier) UnpackBatchLengthsError(raw []byte) (*IZkmlVerifierBatchLengths, error) {
	out := new(IZkmlVerifierBatchLengths)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "BatchLengths", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierDevelopmentSrs represents a DevelopmentSrs error raised by the IZkmlVerifier contract.
type IZkmlVerifierDevelopmentSrs struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DevelopmentSrs()
func IZkmlVerifierDevelopmentSrsErrorID() common.Hash {
	return common.HexToHash("0x944073bbacb82b9249eb439e11529696de6961dfe5d1d324c586708ec9b95419")
}

// UnpackDevelopmentSrsError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DevelopmentSrs()
func (iZkmlVerifier *IZkmlVerifier) UnpackDevelopmentSrsError(raw []byte) (*IZkmlVerifierDevelopmentSrs, error) {
	out := new(IZkmlVerifierDevelopmentSrs)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "DevelopmentSrs", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierDifferentSrs represents a DifferentSrs error raised by the IZkmlVerifier contract.
type IZkmlVerifierDifferentSrs struct {
	Index *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error DifferentSrs(uint256 index)
func IZkmlVerifierDifferentSrsErrorID() common.Hash {
	return common.HexToHash("0x8523d58645995fe79ca3bbe66fafe3c88cc18fdc6e74d0b40b6c2e95501f467d")
}

// UnpackDifferentSrsError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error DifferentSrs(uint256 index)
func (iZkmlVerifier *IZkmlVerifier) UnpackDifferentSrsError(raw []byte) (*IZkmlVerifierDifferentSrs, error) {
	out := new(IZkmlVerifierDifferentSrs)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "DifferentSrs", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierEmptyBatch represents a EmptyBatch error raised by the IZkmlVerifier contract.
type IZkmlVerifierEmptyBatch struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error EmptyBatch()
func IZkmlVerifierEmptyBatchErrorID() common.Hash {
	return common.HexToHash("0xc2e5347df6cf8d1bf68f8a9651642312bd381b900d857d97cd665976180d6ae0")
}

// UnpackEmptyBatchError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error EmptyBatch()
func (iZkmlVerifier *IZkmlVerifier) UnpackEmptyBatchError(raw []byte) (*IZkmlVerifierEmptyBatch, error) {
	out := new(IZkmlVerifierEmptyBatch)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "EmptyBatch", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierInvalidPoint represents a InvalidPoint error raised by the IZkmlVerifier contract.
type IZkmlVerifierInvalidPoint struct {
	Index  *big.Int
	Offset *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error InvalidPoint(uint256 index, uint256 offset)
func IZkmlVerifierInvalidPointErrorID() common.Hash {
	return common.HexToHash("0x414cf3755dee7073d74db6b169c9e521ecded2c95bc2f26434de53b3fd2faff4")
}

// UnpackInvalidPointError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error InvalidPoint(uint256 index, uint256 offset)
func (iZkmlVerifier *IZkmlVerifier) UnpackInvalidPointError(raw []byte) (*IZkmlVerifierInvalidPoint, error) {
	out := new(IZkmlVerifierInvalidPoint)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "InvalidPoint", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierKeyCommitments represents a KeyCommitments error raised by the IZkmlVerifier contract.
type IZkmlVerifierKeyCommitments struct {
	Commitments *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error KeyCommitments(uint256 commitments)
func IZkmlVerifierKeyCommitmentsErrorID() common.Hash {
	return common.HexToHash("0x0b3fe74761ed3e0e8eea98fea412888326da76b5c549b011111bc07273d228d7")
}

// UnpackKeyCommitmentsError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error KeyCommitments(uint256 commitments)
func (iZkmlVerifier *IZkmlVerifier) UnpackKeyCommitmentsError(raw []byte) (*IZkmlVerifierKeyCommitments, error) {
	out := new(IZkmlVerifierKeyCommitments)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "KeyCommitments", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierKeyDomain represents a KeyDomain error raised by the IZkmlVerifier contract.
type IZkmlVerifierKeyDomain struct {
	Log *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error KeyDomain(uint256 log)
func IZkmlVerifierKeyDomainErrorID() common.Hash {
	return common.HexToHash("0xbf13d3f8f9288f13235db7d408483b837af5d1db822d76e6ee4aa2957b5d936c")
}

// UnpackKeyDomainError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error KeyDomain(uint256 log)
func (iZkmlVerifier *IZkmlVerifier) UnpackKeyDomainError(raw []byte) (*IZkmlVerifierKeyDomain, error) {
	out := new(IZkmlVerifierKeyDomain)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "KeyDomain", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierKeyFormat represents a KeyFormat error raised by the IZkmlVerifier contract.
type IZkmlVerifierKeyFormat struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error KeyFormat()
func IZkmlVerifierKeyFormatErrorID() common.Hash {
	return common.HexToHash("0xc38a344cdf28b29562b78c4c8bef327e69c219aa5ebf3e7d99306185941431c5")
}

// UnpackKeyFormatError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error KeyFormat()
func (iZkmlVerifier *IZkmlVerifier) UnpackKeyFormatError(raw []byte) (*IZkmlVerifierKeyFormat, error) {
	out := new(IZkmlVerifierKeyFormat)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "KeyFormat", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierKeyLength represents a KeyLength error raised by the IZkmlVerifier contract.
type IZkmlVerifierKeyLength struct {
	Got  *big.Int
	Want *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error KeyLength(uint256 got, uint256 want)
func IZkmlVerifierKeyLengthErrorID() common.Hash {
	return common.HexToHash("0x27eeca1cf5640e2754c33fc93d9966b8223dd8836d1e170519d69516ca360017")
}

// UnpackKeyLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error KeyLength(uint256 got, uint256 want)
func (iZkmlVerifier *IZkmlVerifier) UnpackKeyLengthError(raw []byte) (*IZkmlVerifierKeyLength, error) {
	out := new(IZkmlVerifierKeyLength)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "KeyLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierKeyPoint represents a KeyPoint error raised by the IZkmlVerifier contract.
type IZkmlVerifierKeyPoint struct {
	Point *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error KeyPoint(uint256 point)
func IZkmlVerifierKeyPointErrorID() common.Hash {
	return common.HexToHash("0x7abd4111d256cef70d2adfa3adfd1ac95145371ca910d33a39555a8e7e747f68")
}

// UnpackKeyPointError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error KeyPoint(uint256 point)
func (iZkmlVerifier *IZkmlVerifier) UnpackKeyPointError(raw []byte) (*IZkmlVerifierKeyPoint, error) {
	out := new(IZkmlVerifierKeyPoint)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "KeyPoint", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierKeyRow represents a KeyRow error raised by the IZkmlVerifier contract.
type IZkmlVerifierKeyRow struct {
	Commitment *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error KeyRow(uint256 commitment)
func IZkmlVerifierKeyRowErrorID() common.Hash {
	return common.HexToHash("0x22824901b33244bea60fd4b29378aa63749fb2c4fbab262eccbda3cb18ba6670")
}

// UnpackKeyRowError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error KeyRow(uint256 commitment)
func (iZkmlVerifier *IZkmlVerifier) UnpackKeyRowError(raw []byte) (*IZkmlVerifierKeyRow, error) {
	out := new(IZkmlVerifierKeyRow)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "KeyRow", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierKeyTau represents a KeyTau error raised by the IZkmlVerifier contract.
type IZkmlVerifierKeyTau struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error KeyTau()
func IZkmlVerifierKeyTauErrorID() common.Hash {
	return common.HexToHash("0x3f0e95db79ffcebeb2384c2dc5f4531b2b43731c6677d0b8d0f5197c5195eb0f")
}

// UnpackKeyTauError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error KeyTau()
func (iZkmlVerifier *IZkmlVerifier) UnpackKeyTauError(raw []byte) (*IZkmlVerifierKeyTau, error) {
	out := new(IZkmlVerifierKeyTau)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "KeyTau", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierKeyWords represents a KeyWords error raised by the IZkmlVerifier contract.
type IZkmlVerifierKeyWords struct {
	Words *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error KeyWords(uint256 words)
func IZkmlVerifierKeyWordsErrorID() common.Hash {
	return common.HexToHash("0x32c6f48ca8ec5c22c79d9749476ed212329bfd7cfc670f244f02a3c510b142f2")
}

// UnpackKeyWordsError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error KeyWords(uint256 words)
func (iZkmlVerifier *IZkmlVerifier) UnpackKeyWordsError(raw []byte) (*IZkmlVerifierKeyWords, error) {
	out := new(IZkmlVerifierKeyWords)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "KeyWords", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierNonCanonicalCalldata represents a NonCanonicalCalldata error raised by the IZkmlVerifier contract.
type IZkmlVerifierNonCanonicalCalldata struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error NonCanonicalCalldata()
func IZkmlVerifierNonCanonicalCalldataErrorID() common.Hash {
	return common.HexToHash("0xf26c0d4b508efb53fd4cb2fb5491c482302912d49824fb6dbe343f1eeb0e7799")
}

// UnpackNonCanonicalCalldataError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error NonCanonicalCalldata()
func (iZkmlVerifier *IZkmlVerifier) UnpackNonCanonicalCalldataError(raw []byte) (*IZkmlVerifierNonCanonicalCalldata, error) {
	out := new(IZkmlVerifierNonCanonicalCalldata)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "NonCanonicalCalldata", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierPrecompileFailed represents a PrecompileFailed error raised by the IZkmlVerifier contract.
type IZkmlVerifierPrecompileFailed struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error PrecompileFailed()
func IZkmlVerifierPrecompileFailedErrorID() common.Hash {
	return common.HexToHash("0x84e816926e6dbd1964946bffefd15a8bd561e2a3290b2a09748eabd8b9d1f51d")
}

// UnpackPrecompileFailedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error PrecompileFailed()
func (iZkmlVerifier *IZkmlVerifier) UnpackPrecompileFailedError(raw []byte) (*IZkmlVerifierPrecompileFailed, error) {
	out := new(IZkmlVerifierPrecompileFailed)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "PrecompileFailed", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierProofLength represents a ProofLength error raised by the IZkmlVerifier contract.
type IZkmlVerifierProofLength struct {
	Index *big.Int
	Got   *big.Int
	Want  *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ProofLength(uint256 index, uint256 got, uint256 want)
func IZkmlVerifierProofLengthErrorID() common.Hash {
	return common.HexToHash("0x79ed90f8ce5e14575e3439452fc0768e4f68bc003795dfadfdfc5601f9fb546d")
}

// UnpackProofLengthError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ProofLength(uint256 index, uint256 got, uint256 want)
func (iZkmlVerifier *IZkmlVerifier) UnpackProofLengthError(raw []byte) (*IZkmlVerifierProofLength, error) {
	out := new(IZkmlVerifierProofLength)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "ProofLength", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierProofRejected represents a ProofRejected error raised by the IZkmlVerifier contract.
type IZkmlVerifierProofRejected struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ProofRejected()
func IZkmlVerifierProofRejectedErrorID() common.Hash {
	return common.HexToHash("0xc3b0d8cd541865f9b30efc779f8c07d9e8020f803988cd1623277e97b27f74d7")
}

// UnpackProofRejectedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ProofRejected()
func (iZkmlVerifier *IZkmlVerifier) UnpackProofRejectedError(raw []byte) (*IZkmlVerifierProofRejected, error) {
	out := new(IZkmlVerifierProofRejected)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "ProofRejected", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierRegistrationFailed represents a RegistrationFailed error raised by the IZkmlVerifier contract.
type IZkmlVerifierRegistrationFailed struct {
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error RegistrationFailed()
func IZkmlVerifierRegistrationFailedErrorID() common.Hash {
	return common.HexToHash("0x65bcbc09400948b5ef3d0668edfffd651bd384e7fc72d37c88b48a7a09026337")
}

// UnpackRegistrationFailedError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error RegistrationFailed()
func (iZkmlVerifier *IZkmlVerifier) UnpackRegistrationFailedError(raw []byte) (*IZkmlVerifierRegistrationFailed, error) {
	out := new(IZkmlVerifierRegistrationFailed)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "RegistrationFailed", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierUnknownModel represents a UnknownModel error raised by the IZkmlVerifier contract.
type IZkmlVerifierUnknownModel struct {
	ModelId [32]byte
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error UnknownModel(bytes32 modelId)
func IZkmlVerifierUnknownModelErrorID() common.Hash {
	return common.HexToHash("0xa2dc0625b3fe9caa2cc8653c3bb80baa7333672dfd886a80b6343d529b2daa98")
}

// UnpackUnknownModelError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error UnknownModel(bytes32 modelId)
func (iZkmlVerifier *IZkmlVerifier) UnpackUnknownModelError(raw []byte) (*IZkmlVerifierUnknownModel, error) {
	out := new(IZkmlVerifierUnknownModel)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "UnknownModel", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierValueOutOfRange represents a ValueOutOfRange error raised by the IZkmlVerifier contract.
type IZkmlVerifierValueOutOfRange struct {
	Index  *big.Int
	Offset *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error ValueOutOfRange(uint256 index, uint256 offset)
func IZkmlVerifierValueOutOfRangeErrorID() common.Hash {
	return common.HexToHash("0x0a845f3d46d82099682013c27e9f7a566c64bfafd0590e25900fa8061fc7dda5")
}

// UnpackValueOutOfRangeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error ValueOutOfRange(uint256 index, uint256 offset)
func (iZkmlVerifier *IZkmlVerifier) UnpackValueOutOfRangeError(raw []byte) (*IZkmlVerifierValueOutOfRange, error) {
	out := new(IZkmlVerifierValueOutOfRange)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "ValueOutOfRange", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierWordCount represents a WordCount error raised by the IZkmlVerifier contract.
type IZkmlVerifierWordCount struct {
	Index *big.Int
	Got   *big.Int
	Want  *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WordCount(uint256 index, uint256 got, uint256 want)
func IZkmlVerifierWordCountErrorID() common.Hash {
	return common.HexToHash("0x1db7ee022f64f973c63dbb81b291754350ade0cca2e72d3132ab8c3e880d8af6")
}

// UnpackWordCountError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WordCount(uint256 index, uint256 got, uint256 want)
func (iZkmlVerifier *IZkmlVerifier) UnpackWordCountError(raw []byte) (*IZkmlVerifierWordCount, error) {
	out := new(IZkmlVerifierWordCount)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "WordCount", raw); err != nil {
		return nil, err
	}
	return out, nil
}

// IZkmlVerifierWordOutOfRange represents a WordOutOfRange error raised by the IZkmlVerifier contract.
type IZkmlVerifierWordOutOfRange struct {
	Index *big.Int
	Word  *big.Int
}

// ErrorID returns the hash of canonical representation of the error's signature.
//
// Solidity: error WordOutOfRange(uint256 index, uint256 word)
func IZkmlVerifierWordOutOfRangeErrorID() common.Hash {
	return common.HexToHash("0x06b0b72aae4e190be0b63d75bad0a93dfad5d1f86b8626e713fdc9dffed90577")
}

// UnpackWordOutOfRangeError is the Go binding used to decode the provided
// error data into the corresponding Go error struct.
//
// Solidity: error WordOutOfRange(uint256 index, uint256 word)
func (iZkmlVerifier *IZkmlVerifier) UnpackWordOutOfRangeError(raw []byte) (*IZkmlVerifierWordOutOfRange, error) {
	out := new(IZkmlVerifierWordOutOfRange)
	if err := iZkmlVerifier.abi.UnpackIntoInterface(out, "WordOutOfRange", raw); err != nil {
		return nil, err
	}
	return out, nil
}
