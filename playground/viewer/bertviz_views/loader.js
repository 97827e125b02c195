// Stands in for require.js: BertViz asks for jQuery and D3 by name, and both are already on the page.
window.require = {config() {}};
window.requirejs = (names, use) => use(...names.map((name) => ({jquery: window.jQuery, d3: window.d3})[name]));

// BertViz is written for D3 5; of all it uses, only these three have another name in D3 3.
d3.schemeCategory10 ??= d3.scale.category10().range();
d3.scaleOrdinal ??= (range) => d3.scale.ordinal().range(range);
d3.line ??= d3.svg.line;
