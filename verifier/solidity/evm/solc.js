#!/usr/bin/env node
// Runs the Solidity compiler of npm's solc package: standard JSON on stdin,
// its answer on stdout. Forge takes this file for a solc binary; it asks for the
// version first and passes paths that standard JSON doesn't need.
// ZKML_SOLC is the directory of the npm package.
'use strict';
const solc = require(process.env.ZKML_SOLC);
if (process.argv.includes('--version')) {
  console.log('solc, the solidity compiler commandline interface');
  console.log('Version: ' + solc.version());
} else {
  process.stdout.write(solc.compile(require('fs').readFileSync(0, 'utf8')));
}
