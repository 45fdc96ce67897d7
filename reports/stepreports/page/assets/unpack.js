"use strict";

// Text packed as base64 of gzip in a <script type="text/plain"> element.
async function unpacked(id) {
  const bytes = Uint8Array.from(atob(document.getElementById(id).textContent.trim()), (c) => c.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

// The records as an object of columns, each a function from a record's place to its cell.
async function loadRecords() {
  const data = JSON.parse(await unpacked("data"));
  data.count = data.layout.length;
  data.cell = (name, place) => {
    const column = data.columns[name];
    return column.cells ? column.cells[place] : column.values[column.codes[place]];
  };
  data.distinct = (name) => {
    const column = data.columns[name];
    return column.cells ? [...new Set(column.cells)] : column.values;
  };
  return data;
}

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}
