// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

import {AttestedInputs} from "./AttestedInputs.sol";
import {IModelVerifier} from "./IModelVerifier.sol";
import {InferenceConsumer} from "./InferenceConsumer.sol";

/// @title A private check with a public yes or no
/// @notice Someone whose data an attester registered, as a salted digest, proves what the
/// model says of them. The chain sees the answer and the digest, and nothing of the data.
/// @dev Nobody sends a proof of no: only a yes that is still good counts, and everyone else
/// isn't eligible. Derive from this contract and put onlyEligible where it matters.
///
/// What everyone sees: which account was registered and when, and the answer of who proved
/// one. Somebody registered who never proves an answer may be one of a no. The model answers
/// with one bit, so that a yes says no more than yes.
contract EligibilityConsumer is InferenceConsumer, AttestedInputs {
    /// @notice What the contract keeps of a subject who proved a yes.
    /// @dev The time until which it is good, and the term of office in which the data was
    /// registered.
    struct Eligibility {
        uint64 until;
        uint64 term;
    }

    /// @notice The model's answer that means yes.
    int256 public immutable YES;

    /// @notice For how many seconds a yes is good.
    uint256 public immutable VALIDITY;

    /// @notice Each subject's last yes: isEligible says whether it still counts.
    mapping(address subject => Eligibility eligibility) public eligibilityOf;

    /// @notice A subject proved what the model says.
    /// @param subject who
    /// @param eligible whether it is yes
    event Checked(address indexed subject, bool eligible);

    /// @notice The answer that means yes is none of the model's, or the time doesn't fit.
    error InvalidPolicy();

    /// @notice The caller isn't eligible now.
    /// @param caller who tried
    error NotEligible(address caller);

    /// @notice Lets only those through who are eligible now.
    modifier onlyEligible() {
        _requireEligible(msg.sender);
        _;
    }

    /// @notice Sets what doesn't change.
    /// @param verifier the model's adapter
    /// @param registrar who appoints attesters
    /// @param maxAge for how many seconds registered data is good
    /// @param yes the model's answer that means yes
    /// @param validity for how many seconds a yes is good
    constructor(IModelVerifier verifier, address registrar, uint256 maxAge, int256 yes, uint256 validity)
        InferenceConsumer(verifier)
        AttestedInputs(registrar, maxAge)
    {
        if (yes < {{.Answer.Lo}} || yes > {{.Answer.Top}} || validity == 0 || validity > type(uint32).max) {
            revert InvalidPolicy();
        }
        YES = yes;
        VALIDITY = validity;
    }

    /// @notice Records what the model says of the caller's registered data.
    /// zkml submit --call 'check(proof,uint256:NONCE,uint256:DEADLINE,tensors)' sends it.
    /// @param proof the proof, made for contextOf(caller, nonce, deadline)
    /// @param nonce the nonce of the context
    /// @param deadline the deadline of the context
    /// @param tensors the statement: the digest of the data and the answer
    /// @return eligible whether the answer is yes
    function check(bytes calldata proof, uint256 nonce, uint256 deadline, IModelVerifier.Tensors calldata tensors)
        external
        returns (bool eligible)
    {
        IModelVerifier.Outputs memory outputs = _infer(proof, nonce, deadline, tensors);
        uint64 term = _useAttestation(msg.sender, tensors.{{.Hashed.Field}});
        eligible = outputs.{{.Answer.Field}}[0] == YES;
        if (eligible) {
            eligibilityOf[msg.sender] = Eligibility(uint64(block.timestamp + VALIDITY), term);
        } else {
            delete eligibilityOf[msg.sender];
        }
        emit Checked(msg.sender, eligible);
    }

    /// @notice Whether a subject is eligible now.
    /// @param subject who
    /// @return whether the last answer was yes and is still good, and whoever registered the
    /// data still is an attester
    function isEligible(address subject) public view returns (bool) {
        Eligibility memory eligibility = eligibilityOf[subject];
        return block.timestamp <= eligibility.until && isRunning[eligibility.term];
    }

    /// @dev Forgets what was proven of a subject's input.
    /// @param subject whose input it was
    function _withdrawn(address subject) internal override {
        delete eligibilityOf[subject];
    }

    /// @dev Reverts unless a subject is eligible now.
    /// @param subject who
    function _requireEligible(address subject) internal view {
        if (!isEligible(subject)) {
            revert NotEligible(subject);
        }
    }
}
