// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IZkmlVerifier, InferenceConsumer} from "./InferenceConsumer.sol";

/// @title Tic-tac-toe against a network that must play its own moves
/// @notice The player's stones are 1, the house's 2. The house's move counts only with a proof that it is the
/// network's for the board on the chain: the house can't play another.
/// @dev Public words: context, the board (1 the house's own, -1 the player's, 0 free, each as u = q + 1 of two
/// bits), the cell of the move (argmax, four bits). A network may answer with a cell that is taken; the house has
/// then no legal move and forfeits when its time is over.
contract TicTacToe is InferenceConsumer {
    /// @notice A game: 18 bits of stones, whose turn, until when, who won.
    struct Game {
        address player;
        uint8[9] cells;
        bool houseToMove;
        uint8 moves;
        uint8 winner;
        uint64 until;
    }

    /// @notice Who sends the house's moves.
    address public immutable HOUSE;

    /// @notice The time that the house has for a move.
    uint64 public constant MOVE_TIME = 1 hours;

    mapping(uint256 id => Game game) private _games;

    /// @notice The number of games that have been begun.
    uint256 public gameCount;

    /// @notice It isn't the caller's turn in this game, or the game is over.
    error NotYourTurn(uint256 id);

    /// @notice The cell is taken, or there is no such cell.
    error IllegalMove(uint256 cell);

    /// @notice The house still has time.
    error TooEarly(uint64 until);

    /// @notice Binds the contract to its model for good.
    /// @param verifier zkml's verifier
    /// @param modelId the model whose answers count
    /// @param house who sends the house's moves
    constructor(IZkmlVerifier verifier, bytes32 modelId, address house) InferenceConsumer(verifier, modelId) {
        HOUSE = house;
    }

    /// @notice Begins a game with the player's first move.
    /// @param cell the cell of the move, 0 to 8
    /// @return id the game
    function begin(uint256 cell) external returns (uint256 id) {
        id = ++gameCount;
        _games[id].player = msg.sender;
        _move(id, cell, 1);
    }

    /// @notice The player's move.
    /// @param id the game
    /// @param cell the cell of the move, 0 to 8
    function play(uint256 id, uint256 cell) external {
        if (_games[id].player != msg.sender || _games[id].houseToMove) revert NotYourTurn(id);
        _move(id, cell, 1);
    }

    /// @notice The house's move: the network's answer to the board, proven for this game and this turn.
    /// @param id the game
    /// @param cell the network's answer
    /// @param proof the proof
    function playHouse(uint256 id, uint256 cell, bytes calldata proof) external {
        Game storage game = _games[id];
        if (msg.sender != HOUSE || !game.houseToMove) revert NotYourTurn(id);
        uint256[] memory words = new uint256[](3);
        (words[1], words[2]) = (boardOf(id), cell);
        // One context for each turn of each game.
        _accept(words, proof, id * 16 + game.moves, game.until);
        _move(id, cell, 2);
    }

    /// @notice The player wins a game in which the house doesn't move in time.
    /// @param id the game
    function claim(uint256 id) external {
        Game storage game = _games[id];
        if (game.player != msg.sender || !game.houseToMove) revert NotYourTurn(id);
        if (block.timestamp <= game.until) revert TooEarly(game.until);
        (game.winner, game.houseToMove) = (1, false);
        game.moves = 9;
    }

    /// @notice The word of the board, as the house's network sees it.
    /// @param id the game
    /// @return the word
    function boardOf(uint256 id) public view returns (uint256) {
        int256[] memory seen = new int256[](9);
        for (uint256 i = 0; i < 9; ++i) {
            uint8 stone = _games[id].cells[i];
            seen[i] = stone == 2 ? int256(1) : stone == 1 ? int256(-1) : int256(0);
        }
        return _pack(seen, 2, -1);
    }

    /// @notice The context that the house's next move has to be proven for.
    /// @param id the game
    /// @return the word
    function turnContext(uint256 id) external view returns (uint256) {
        return contextOf(HOUSE, id * 16 + _games[id].moves, _games[id].until);
    }

    /// @notice Who has won: 0 nobody (yet), 1 the player, 2 the house.
    /// @param id the game
    /// @return who
    function winnerOf(uint256 id) external view returns (uint256) {
        return _games[id].winner;
    }

    /// @dev Puts a stone and passes the turn on, unless the game is over.
    /// @param id the game
    /// @param cell the cell
    /// @param stone 1 of the player, 2 of the house
    function _move(uint256 id, uint256 cell, uint8 stone) private {
        Game storage game = _games[id];
        if (game.winner != 0 || game.moves == 9) revert NotYourTurn(id);
        if (cell > 8 || game.cells[cell] != 0) revert IllegalMove(cell);
        game.cells[cell] = stone;
        ++game.moves;
        if (_wins(game, stone)) game.winner = stone;
        game.houseToMove = stone == 1 && game.winner == 0 && game.moves < 9;
        game.until = uint64(block.timestamp) + MOVE_TIME;
    }

    /// @dev Whether three stones are in a row.
    /// @param game the game
    /// @param stone whose stones
    /// @return whether they are
    function _wins(Game storage game, uint8 stone) private view returns (bool) {
        uint256 stones = 0;
        for (uint256 i = 0; i < 9; ++i) {
            if (game.cells[i] == stone) stones |= 1 << i;
        }
        uint16[8] memory rows = [7, 56, 448, 73, 146, 292, 273, 84];
        for (uint256 i = 0; i < 8; ++i) {
            if (stones & rows[i] == rows[i]) return true;
        }
        return false;
    }
}
