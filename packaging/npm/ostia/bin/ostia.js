#!/usr/bin/env node
// Starts the program that npm installed for this system, and ends as it ends.
"use strict";

const { spawn } = require("node:child_process");
const { constants } = require("node:os");

const name = `@ostia-ai/ostia-${process.platform}-${process.arch}`;

function program() {
  try {
    return require.resolve(`${name}/bin/ostia`);
  } catch {
    console.error(
      `There is no program for this system: npm has not installed ${name}. ` +
        "Was it told to leave out optional dependencies? Else build it from source: https://github.com/ostia-ai/ostia",
    );
    process.exit(1);
  }
}

const child = spawn(program(), process.argv.slice(2), { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => child.kill(signal));
}
child.on("error", (error) => {
  console.error(`${name}: ${error.message}`);
  process.exit(1);
});
child.on("exit", (code, signal) => process.exit(signal ? 128 + constants.signals[signal] : code));
