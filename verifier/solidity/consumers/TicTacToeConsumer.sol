// SPDX-License-Identifier: Apache-2.0
pragma solidity {{.Solc}};

import {IModelVerifier} from "./IModelVerifier.sol";
import {InferenceConsumer} from "./InferenceConsumer.sol";

/// @title Tic-tac-toe against a network
/// @notice The player opens. After each of the player's moves the house answers with the
/// network's, and with nothing else: the contract packs the board that the network sees, the
/// proof gives a score to each cell, and the house takes the free cell of the highest score.
/// Who doesn't move in time loses, so that nobody gains by leaving.
/// @dev Cells count from 0 at the top left, row by row. Anyone may send the house's answer,
/// with a proof made for them: a player needn't wait for the house. Nothing is at stake here,
/// and to begin a game is free, while each of the house's moves costs a proof: who adds a
/// stake lets the player pay for those.
contract TicTacToeConsumer is InferenceConsumer {
    /// @notice How a game stands.
    enum State {
        None,
        PlayersTurn,
        HousesTurn,
        PlayerWon,
        HouseWon,
        Drawn
    }

    /// @notice A game.
    /// @dev Who plays, how it stands, until when the one to move may do so, and the cells that
    /// each side has taken, cell i as bit i.
    // The linter takes an enum for a word; it is a byte.
    // solhint-disable-next-line gas-struct-packing
    struct Game {
        address player;
        State state;
        uint64 deadline;
        uint16 players;
        uint16 houses;
    }

    /// @notice The number of cells.
    uint256 public constant CELLS = 9;

    /// @notice A stone of the one to move as the network takes it; the other's is its negative.
    int256 public constant STONE = {{.Stone}};

    /// @dev All cells, as bits.
    uint256 private constant FULL = 0x1ff;

    /// @dev The eight lines, nine bits each: rows, columns, diagonals.
    uint256 private constant LINES =
        0x007 | 0x038 << 9 | 0x1c0 << 18 | 0x049 << 27 | 0x092 << 36 | 0x124 << 45 | 0x111 << 54 | 0x054 << 63;

    /// @notice For how many seconds a side may think.
    uint256 public immutable TURN_SECONDS;

    /// @notice The number of games, and the id of the last.
    uint256 public games;

    /// @notice All games by id.
    mapping(uint256 id => Game game) public gameOf;

    /// @notice A game began.
    /// @param id the game
    /// @param player who plays
    event Started(uint256 indexed id, address indexed player);

    /// @notice A stone was set.
    /// @param id the game
    /// @param cell where
    /// @param byHouse whose it is
    /// @param state how the game stands now
    event Moved(uint256 indexed id, uint256 cell, bool byHouse, State state);

    /// @notice A side ran out of time.
    /// @param id the game
    /// @param state who won by that
    event TimedOut(uint256 indexed id, State state);

    /// @notice Nobody could move in that time, or it is beyond the clock.
    /// @param turnSeconds the argument
    error InvalidTurn(uint256 turnSeconds);

    /// @notice The game isn't in a state for that.
    /// @param id the game
    /// @param state how it stands
    error WrongState(uint256 id, State state);

    /// @notice Someone else plays this game.
    /// @param caller who tried
    /// @param player who plays
    error NotPlayer(address caller, address player);

    /// @notice There is no such cell.
    /// @param cell the argument
    error NoSuchCell(uint256 cell);

    /// @notice A stone lies there.
    /// @param cell the argument
    error OccupiedCell(uint256 cell);

    /// @notice The side to move still has time.
    /// @param deadline the last second of it
    error NotTimedOut(uint256 deadline);

    /// @notice Sets what doesn't change.
    /// @param verifier the network's adapter
    /// @param turnSeconds for how many seconds a side may think
    constructor(IModelVerifier verifier, uint256 turnSeconds) InferenceConsumer(verifier) {
        if (turnSeconds == 0 || turnSeconds > type(uint32).max) {
            revert InvalidTurn(turnSeconds);
        }
        TURN_SECONDS = turnSeconds;
    }

    /// @notice Begins a game of the caller's.
    /// @return id the game
    function start() external returns (uint256 id) {
        id = ++games;
        gameOf[id] = Game(msg.sender, State.PlayersTurn, _deadline(), 0, 0);
        emit Started(id, msg.sender);
    }

    /// @notice Sets a stone of the player's.
    /// @param id the game
    /// @param cell where
    function play(uint256 id, uint256 cell) external {
        Game storage game = gameOf[id];
        _requireState(id, game, State.PlayersTurn);
        if (msg.sender != game.player) {
            revert NotPlayer(msg.sender, game.player);
        }
        if (block.timestamp > game.deadline) {
            revert Expired(game.deadline);
        }
        if (cell >= CELLS) {
            revert NoSuchCell(cell);
        }
        uint256 stone = uint256(1) << cell;
        if ((game.players | game.houses) & stone != 0) {
            revert OccupiedCell(cell);
        }
        game.players |= uint16(stone);
        _finishTurn(id, game, cell, false);
    }

    /// @notice Sets the network's stone: zkml submit --call 'answer(uint256:ID,proof,tensors)'.
    /// @param id the game
    /// @param proof the proof, made for replyContext(id, caller)
    /// @param statement the network's output; its input is ignored, for the contract's own
    function answer(uint256 id, bytes calldata proof, IModelVerifier.Tensors calldata statement) external {
        Game storage game = gameOf[id];
        _requireState(id, game, State.HousesTurn);
        IModelVerifier.Tensors memory tensors = statement;
        tensors.{{.Shown.Field}} = boardOf(id);
        IModelVerifier.Outputs memory outputs = _infer(proof, _nonce(id, game), game.deadline, tensors);
        uint256 cell = bestFreeCell(game.players | game.houses, outputs.{{.Answer.Field}});
        game.houses |= uint16(uint256(1) << cell);
        _finishTurn(id, game, cell, true);
    }

    /// @notice Ends a game whose side to move has run out of time: the other side wins.
    /// @param id the game
    function claimTimeout(uint256 id) external {
        Game storage game = gameOf[id];
        if (game.state != State.PlayersTurn) {
            _requireState(id, game, State.HousesTurn);
        }
        if (block.timestamp <= game.deadline) {
            revert NotTimedOut(game.deadline);
        }
        game.state = game.state == State.PlayersTurn ? State.HouseWon : State.PlayerWon;
        emit TimedOut(id, game.state);
    }

    /// @notice The context to prove the network's answer with.
    /// @param id a game in which it is the house's turn
    /// @param caller who will send the proof
    /// @return the context
    function replyContext(uint256 id, address caller) external view returns (uint256) {
        Game storage game = gameOf[id];
        return contextOf(caller, _nonce(id, game), game.deadline);
    }

    /// @notice The board as the network sees it when the house is to move, as bytes.
    /// @param id the game
    /// @return board nine elements: STONE for the house's stones, -STONE for the player's
    function boardOf(uint256 id) public view returns (bytes memory board) {
        Game storage game = gameOf[id];
        for (uint256 cell = 0; cell < CELLS; ++cell) {
            int256 element = 0;
            if ((game.houses >> cell) & 1 != 0) {
                element = STONE;
            } else if ((game.players >> cell) & 1 != 0) {
                element = -STONE;
            }
            board = bytes.concat(board, bytes{{.Shown.Width}}(uint{{.ElementBits}}(int{{.ElementBits}}(element))));
        }
    }

    /// @notice The free cell of the highest score, the first one of equals: what the network
    /// thinks of occupied cells doesn't matter.
    /// @param occupied the occupied cells, as bits; at least one cell is free
    /// @param scores a score for each cell
    /// @return best the cell
    function bestFreeCell(uint256 occupied, int256[] memory scores) public pure returns (uint256 best) {
        int256 highest = type(int256).min;
        for (uint256 cell = 0; cell < CELLS; ++cell) {
            if ((occupied >> cell) & 1 == 0 && scores[cell] > highest) {
                highest = scores[cell];
                best = cell;
            }
        }
    }

    /// @dev Decides how the game stands after a move.
    /// @param id the game's id
    /// @param game the game
    /// @param cell where the stone was set
    /// @param byHouse whose it is
    function _finishTurn(uint256 id, Game storage game, uint256 cell, bool byHouse) private {
        State state = byHouse ? State.PlayersTurn : State.HousesTurn;
        if (_hasLine(byHouse ? game.houses : game.players)) {
            state = byHouse ? State.HouseWon : State.PlayerWon;
        } else if ((game.players | game.houses) == FULL) {
            state = State.Drawn;
        }
        game.state = state;
        game.deadline = _deadline();
        emit Moved(id, cell, byHouse, state);
    }

    /// @dev Reverts unless the game is in a state.
    /// @param id the game's id
    /// @param game the game
    /// @param state the state it must be in
    function _requireState(uint256 id, Game storage game, State state) private view {
        if (game.state != state) {
            revert WrongState(id, game.state);
        }
    }

    /// @dev When a turn that begins now ends.
    /// @return the last second of it
    function _deadline() private view returns (uint64) {
        return uint64(block.timestamp + TURN_SECONDS);
    }

    /// @dev The nonce of the house's answer: another one for each game and each turn.
    /// @param id the game's id
    /// @param game the game
    /// @return the nonce
    function _nonce(uint256 id, Game storage game) private view returns (uint256) {
        return uint256(keccak256(abi.encode(id, game.players, game.houses)));
    }

    /// @dev Whether stones fill a row, a column or a diagonal.
    /// @param stones the cells of one side, as bits
    /// @return whether they do
    function _hasLine(uint256 stones) private pure returns (bool) {
        for (uint256 lines = LINES; lines != 0; lines >>= CELLS) {
            uint256 line = lines & FULL;
            if (stones & line == line) {
                return true;
            }
        }
        return false;
    }
}
