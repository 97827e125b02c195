// The life of a component on the page: one instance for each mounted element, kept while Streamlit updates its data.

import { patient } from "./connection.js";

const instances = new WeakMap();

// Streamlit fades what waits for its script; a component that answers by itself meanwhile must not fade.
function stayOpaque(root) {
  const outer = root.getRootNode().host ?? root;
  outer.closest?.('[data-testid="stElementContainer"]')?.style.setProperty("opacity", "1", "important");
}

// Hand the data to the element's instance, made by `create` when there is none; returns the function that unmounts it.
export function mount(component, create, selector = ".root") {
  const { parentElement } = component;
  const root = parentElement.querySelector(selector);
  let instance = instances.get(parentElement);
  // Streamlit may have put a new root into the same parent.
  if (instance?.root !== root) {
    instance?.dispose?.();
    instance = create(root);
    instances.set(parentElement, instance);
    stayOpaque(root);
  }
  instance.accept({ ...component, setTriggerValue: patient(component.setTriggerValue) });
  // Its markup waits inert, without labels, for this script.
  root.inert = false;
  return () => {
    instance.dispose?.();
    instances.delete(parentElement);
  };
}
