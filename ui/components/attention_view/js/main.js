// The component's entry: one view for each mounted element, kept across updates.

import { AttentionView } from "./view.js";

const mounted = new WeakMap();

export default function attentionView(component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".root");
  let view = mounted.get(parentElement);
  if (view?.root !== root) {
    view?.dispose();
    view = new AttentionView(root);
    mounted.set(parentElement, view);
  }
  view.component = component;
  view.accept(data);
  return () => {
    view.dispose();
    mounted.delete(parentElement);
  };
}
