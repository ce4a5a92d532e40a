import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "./app";
import { showTheme } from "./settings";
import "uplot/dist/uPlot.min.css";
import "./style/base.css";
import "./style/frame.css";
import "./style/parts.css";
import "./style/logs.css";
import "./style/request.css";
import "./style/pages.css";

showTheme();
const root = document.getElementById("console");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
