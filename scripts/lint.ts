/**
 * Lint rules of this project.
 * @module
 */

/** The plugin that `deno lint` loads. */
const plugin: Deno.lint.Plugin = {
  name: "gateway",
  rules: {
    "no-new-url": {
      create(context): Deno.lint.LintVisitor {
        if (!isSource(context.filename)) return {};
        const message =
          "new URL() folds .. and %2e%2e, which changes keys and breaks signatures: cut the text (src/s3/request.ts)";
        return {
          'NewExpression[callee.name="URL"]'(node: Deno.lint.NewExpression): void {
            context.report({ node, message });
          },
          'CallExpression[callee.object.name="URL"][callee.property.name="parse"]'(
            node: Deno.lint.CallExpression,
          ): void {
            context.report({ node, message });
          },
        };
      },
    },
    "nats-stays-in-its-folder": {
      create(context): Deno.lint.LintVisitor {
        if (!isSource(context.filename) || /\/src\/nats\//.test(slashes(context.filename))) {
          return {};
        }
        return {
          ImportDeclaration(node): void {
            if (node.source.value.startsWith("@nats-io/")) {
              context.report({ node, message: "Only src/nats/ imports @nats-io/*" });
            }
          },
        };
      },
    },
  },
};

export default plugin;

function isSource(filename: string): boolean {
  return slashes(filename).includes("/src/") && !filename.endsWith("_test.ts");
}

function slashes(path: string): string {
  return path.replaceAll("\\", "/");
}
