// Which files were chosen or dropped, folders included, and which XMP file goes with which picture.

const LEFT_OUT = new Set(["thumbs.db", "desktop.ini"]); // what systems put into folders

const isOurs = (name) => !name.startsWith(".") && !LEFT_OUT.has(name.toLowerCase());

export const chosen = (files) =>
  [...files].filter((file) => isOurs(file.name)).map((file) => ({ file, path: file.webkitRelativePath || file.name }));

const toFile = (entry) => new Promise((resolve, reject) => entry.file(resolve, reject));

function someOf(reader) {
  return new Promise((resolve, reject) => reader.readEntries(resolve, reject));
}

async function within(entry) {
  if (!isOurs(entry.name)) return [];
  if (entry.isFile) return [{ file: await toFile(entry), path: entry.fullPath.replace(/^\//, "") }];
  const found = [];
  const reader = entry.createReader();
  for (let some = await someOf(reader); some.length; some = await someOf(reader)) {
    for (const inner of some) found.push(...(await within(inner)));
  }
  return found;
}

// The entries must be asked for before the event ends.
export function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return Promise.resolve(chosen(transfer.files));
  return Promise.all(entries.map(within)).then((found) => found.flat());
}

// An XMP file goes with each picture of its name in its folder: boat.xmp with boat.*, boat.jpg.xmp with boat.jpg.
export function withSidecars(files) {
  const bare = (path) => path.toLowerCase().replace(/\.[^./]*$/, "");
  const isSidecar = ({ path }) => path.toLowerCase().endsWith(".xmp");
  const sidecars = new Map(files.filter(isSidecar).map(({ file, path }) => [bare(path), file]));
  const taken = new Set();
  const pictures = files.filter((one) => !isSidecar(one)).map((one) => {
    const sidecar = sidecars.get(one.path.toLowerCase()) ?? sidecars.get(bare(one.path));
    taken.add(sidecar);
    return { ...one, sidecar };
  });
  const alone = files.filter((one) => isSidecar(one) && !taken.has(one.file));
  return [...pictures, ...alone.map((one) => ({ ...one, alone: true }))];
}
