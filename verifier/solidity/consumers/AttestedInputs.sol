// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

/// @title Inputs that someone vouches for
/// @notice A proof with a hashed input says what the model answers to some input of that
/// digest, and anyone can make up an input. Here attesters publish the digest of each
/// subject's input (zkml commit computes it), and a digest counts if it is the last one
/// attested for the subject, by someone who still is an attester, not long ago, and hasn't
/// been used.
/// @dev The subject needs the salt of the digest from the attester to make a proof. A newer
/// attestation replaces the one before, so that nobody goes on with the better of two.
abstract contract AttestedInputs {
    /// @notice What an attester said of a subject's input.
    /// @dev The digest of the input, who attested it, when, and whether it has been used.
    struct Attestation {
        uint256 digest;
        address attester;
        uint64 time;
        bool used;
    }

    /// @notice Who appoints and dismisses attesters: give this to your governance.
    address public immutable REGISTRAR;

    /// @notice For how many seconds an attestation is good.
    uint256 public immutable MAX_AGE;

    /// @notice Those whose word counts now.
    mapping(address attester => bool appointed) public isAttester;

    /// @notice The last attestation of each subject.
    mapping(address subject => Attestation attestation) public attestationOf;

    /// @notice An attester was appointed or dismissed.
    /// @param attester who
    /// @param appointed whether their word counts from now on
    event AttesterSet(address indexed attester, bool appointed);

    /// @notice The digest of a subject's input was published.
    /// @param subject whose input it is
    /// @param attester who says so
    /// @param digest the input's digest
    event Attested(address indexed subject, address indexed attester, uint256 digest);

    /// @notice Only the registrar appoints attesters.
    /// @param caller who tried
    error NotRegistrar(address caller);

    /// @notice Only an attester attests.
    /// @param caller who tried
    error NotAttester(address caller);

    /// @notice No attester vouches for this input of the subject.
    /// @param subject whose input it is said to be
    /// @param digest the digest in the statement
    error UnattestedInput(address subject, uint256 digest);

    /// @notice The attestation is too old.
    /// @param time when it was made
    /// @param maxAge for how many seconds it was good
    error StaleAttestation(uint256 time, uint256 maxAge);

    /// @notice The attestation has been used: the subject needs another one.
    /// @param subject whose input was attested
    /// @param digest its digest
    error AttestationUsed(address subject, uint256 digest);

    /// @notice Sets what doesn't change.
    /// @param registrar who appoints attesters
    /// @param maxAge for how many seconds an attestation is good
    constructor(address registrar, uint256 maxAge) {
        REGISTRAR = registrar;
        MAX_AGE = maxAge;
    }

    /// @notice Appoints or dismisses an attester. What a dismissed one attested no longer counts.
    /// @param attester who
    /// @param appointed whether their word counts from now on
    function setAttester(address attester, bool appointed) external {
        if (msg.sender != REGISTRAR) {
            revert NotRegistrar(msg.sender);
        }
        isAttester[attester] = appointed;
        emit AttesterSet(attester, appointed);
    }

    /// @notice Publishes the digest of a subject's input, in place of the one before.
    /// @param subject whose input it is
    /// @param digest the input's digest
    function attest(address subject, uint256 digest) external {
        if (!isAttester[msg.sender]) {
            revert NotAttester(msg.sender);
        }
        attestationOf[subject] = Attestation(digest, msg.sender, uint64(block.timestamp), false);
        emit Attested(subject, msg.sender, digest);
    }

    /// @dev Uses up the attestation of the subject's input; reverts unless the digest is
    /// attested and fresh.
    /// @param subject whose input it has to be
    /// @param digest the digest in the statement
    function _useAttestation(address subject, uint256 digest) internal {
        Attestation storage attestation = attestationOf[subject];
        if (attestation.digest != digest || !isAttester[attestation.attester]) {
            revert UnattestedInput(subject, digest);
        }
        if (block.timestamp > attestation.time + MAX_AGE) {
            revert StaleAttestation(attestation.time, MAX_AGE);
        }
        if (attestation.used) {
            revert AttestationUsed(subject, digest);
        }
        attestation.used = true;
    }
}
