// The place for a view's tables, below what a page puts under the picture. Without it the view keeps them itself.

import { mount } from "../../shared/js/mount.js";
import { publishHost, withdrawHost } from "./store.js";

class BelowHost {
  constructor(root) {
    this.root = root;
  }

  accept({ data }) {
    this.view = data.view;
    publishHost(this.view, this.root);
  }

  dispose() {
    withdrawHost(this.view, this.root);
  }
}

export default function attentionTables(component) {
  return mount(component, (root) => new BelowHost(root));
}
