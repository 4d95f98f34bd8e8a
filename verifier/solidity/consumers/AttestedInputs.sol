// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

/// @title Inputs that someone vouches for
/// @notice A proof with a hashed input says what the model answers to some input of that
/// digest, and anyone can make up an input. Here attesters publish the digest of each
/// subject's input (zkml commit computes it), and a digest counts if it is the last one
/// attested for the subject, by someone who has been an attester ever since, not long ago,
/// and hasn't been used.
/// @dev The subject needs the salt of the digest from the attester to make a proof. A newer
/// attestation replaces the one before, so that nobody goes on with the better of two. Who
/// derives from this contract keeps the term of office in which an input was attested
/// beside what was proven of it, asks isRunning before relying on it, and forgets it in
/// _withdrawn.
///
/// A digest hides the input only as well as its salt is kept: zkml commit draws one, and an
/// attester takes another for each subject and each attestation. With a salt that others
/// know the input can be guessed, and two equal digests show that two inputs are equal, on
/// whatever chain they are.
abstract contract AttestedInputs {
    /// @notice What an attester said of a subject's input.
    /// @dev The digest of the input, the attester's term of office, when it was attested, and
    /// whether it has been used.
    struct Attestation {
        uint256 digest;
        uint64 term;
        uint64 time;
        bool used;
    }

    /// @notice Who appoints and dismisses attesters: give this to your governance.
    address public immutable REGISTRAR;

    /// @notice For how many seconds an attestation is good.
    uint256 public immutable MAX_AGE;

    /// @notice The number of terms of office so far.
    uint64 public terms;

    /// @notice The term of office of each attester, from 1; zero for who isn't one now.
    mapping(address attester => uint64 term) public termOf;

    /// @notice Whether a term of office goes on. What was attested in one that is over no
    /// longer counts, even if the attester is appointed again.
    mapping(uint64 term => bool running) public isRunning;

    /// @notice The last attestation of each subject.
    mapping(address subject => Attestation attestation) public attestationOf;

    /// @notice An attester was appointed or dismissed.
    /// @param attester who
    /// @param term the term of office that began or ended
    /// @param appointed whether it began
    event AttesterSet(address indexed attester, uint64 indexed term, bool appointed);

    /// @notice The digest of a subject's input was published.
    /// @param subject whose input it is
    /// @param attester who says so
    /// @param digest the input's digest
    event Attested(address indexed subject, address indexed attester, uint256 digest);

    /// @notice What was attested for a subject, and what was proven of it, counts no more.
    /// @param subject whose input it was
    event Withdrawn(address indexed subject);

    /// @notice Nobody could appoint attesters.
    error NoRegistrar();

    /// @notice Only the registrar appoints attesters.
    /// @param caller who tried
    error NotRegistrar(address caller);

    /// @notice Only an attester attests, and only the one who did withdraws.
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
        if (registrar == address(0)) {
            revert NoRegistrar();
        }
        REGISTRAR = registrar;
        MAX_AGE = maxAge;
    }

    /// @notice Appoints or dismisses an attester. What a dismissed one attested no longer
    /// counts, nor does what was proven of it.
    /// @param attester who
    /// @param appointed whether their word counts from now on
    function setAttester(address attester, bool appointed) external {
        if (msg.sender != REGISTRAR) {
            revert NotRegistrar(msg.sender);
        }
        uint64 term = termOf[attester];
        if (appointed == (term != 0)) {
            return;
        }
        if (appointed) {
            term = ++terms;
            termOf[attester] = term;
        } else {
            delete termOf[attester];
        }
        isRunning[term] = appointed;
        emit AttesterSet(attester, term, appointed);
    }

    /// @notice Publishes the digest of a subject's input, in place of the one before.
    /// @param subject whose input it is
    /// @param digest the input's digest
    function attest(address subject, uint256 digest) external {
        uint64 term = termOf[msg.sender];
        if (term == 0) {
            revert NotAttester(msg.sender);
        }
        attestationOf[subject] = Attestation(digest, term, uint64(block.timestamp), false);
        emit Attested(subject, msg.sender, digest);
    }

    /// @notice Takes a subject's last attestation back, and what was proven of it: it was
    /// wrong. The attester may do so, and the registrar.
    /// @param subject whose input it was
    function withdraw(address subject) external {
        if (msg.sender != REGISTRAR) {
            uint64 term = termOf[msg.sender];
            if (term == 0 || term != attestationOf[subject].term) {
                revert NotAttester(msg.sender);
            }
        }
        delete attestationOf[subject];
        _withdrawn(subject);
        emit Withdrawn(subject);
    }

    /// @dev Uses up the attestation of the subject's input; reverts unless the digest is
    /// attested and fresh.
    /// @param subject whose input it has to be
    /// @param digest the digest in the statement
    /// @return term the term of office in which it was attested: ask isRunning before relying
    /// on what comes of it
    function _useAttestation(address subject, uint256 digest) internal returns (uint64 term) {
        Attestation storage attestation = attestationOf[subject];
        term = attestation.term;
        if (attestation.digest != digest || !isRunning[term]) {
            revert UnattestedInput(subject, digest);
        }
        if (block.timestamp - attestation.time > MAX_AGE) {
            revert StaleAttestation(attestation.time, MAX_AGE);
        }
        if (attestation.used) {
            revert AttestationUsed(subject, digest);
        }
        attestation.used = true;
    }

    /// @dev Forgets what was proven of a subject's input.
    /// @param subject whose input it was
    function _withdrawn(address subject) internal virtual;
}
