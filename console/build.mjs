// Builds the console and puts it, compressed, where the gateway embeds it. `--check` changes nothing and fails where what is there is
// not what the sources give.
//
// What is compared is the content: zlib packs otherwise on other machines.
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { build } from "vite";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const BUILT = join(HERE, "../crates/ostia/src/endpoints/console/built");
/** What names them to the compiler. */
const TABLE = `${BUILT}.rs`;
const MEDIA = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".md": "text/plain; charset=utf-8",
};
/** Bytes of all files together, compressed. */
const PACKED_MAX = 150_000;

/** Each file of the console: where it is served, what it is called here, and its content. */
async function made() {
  const folder = mkdtempSync(join(tmpdir(), "ostia-console-"));
  try {
    await build({ root: HERE, logLevel: "warn", build: { outDir: folder, emptyOutDir: true } });
    const paths = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const files = paths.map((entry) => {
      const whole = join(entry.parentPath, entry.name);
      const path = whole.slice(folder.length + 1);
      // Without the hash, so that a change is a change of one file.
      return { path, name: `${entry.name.replace(/-[\w-]{8}\./, ".")}.gz`, content: readFileSync(whole) };
    });
    return files.sort((one, other) => (one.name < other.name ? -1 : 1));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function table(files) {
  const rows = files.map(({ path, name }) => {
    const media = MEDIA[path.slice(path.lastIndexOf("."))];
    return `    File {\n        path: "${path}",\n        media: "${media}",\n        packed: include_bytes!("built/${name}"),\n    },\n`;
  });
  return `//! The console's files. Written by \`cargo xtask console\`: change their sources in \`/console\`.

use super::File;

#[rustfmt::skip]
pub(super) static FILES: [File; ${files.length}] = [
${rows.join("")}];
`;
}

/** The content of a packed file that is there; none where it is not. */
function there(name) {
  try {
    return gunzipSync(readFileSync(join(BUILT, name)));
  } catch {
    return null;
  }
}

const files = await made();
const differs = files.filter(({ name, content }) => !there(name)?.equals(content));
const rust = table(files);
const isTableSame = existsSync(TABLE) && readFileSync(TABLE, "utf8") === rust;
const wanted = new Set(files.map(({ name }) => name));

if (process.argv.includes("--check")) {
  const surplus = readdirSync(BUILT).filter((name) => !wanted.has(name));
  const problems = [...differs.map(({ name }) => name), ...(isTableSame ? [] : ["built.rs"]), ...surplus];
  if (problems.length > 0) {
    console.error(`Not what the sources in /console give: ${problems.join(", ")}. Run \`cargo xtask console\`.`);
    process.exit(1);
  }
  console.log("The console is what its sources give.");
} else {
  mkdirSync(BUILT, { recursive: true });
  for (const name of readdirSync(BUILT)) if (!wanted.has(name)) rmSync(join(BUILT, name));
  for (const { name, content } of differs) writeFileSync(join(BUILT, name), gzipSync(content, { level: 9 }));
  writeFileSync(TABLE, rust);
  const sizes = files.map(({ name }) => [name, readFileSync(join(BUILT, name)).length]);
  const all = sizes.reduce((sum, [, size]) => sum + size, 0);
  for (const [name, size] of sizes) console.log(`${String(size).padStart(8)}  ${name}`);
  console.log(`${String(all).padStart(8)}  in all`);
  if (all > PACKED_MAX) {
    console.error(`That is more than ${PACKED_MAX} bytes.`);
    process.exit(1);
  }
}
