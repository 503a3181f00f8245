import { useMemo } from 'react';
import { renderTextPanelMarkdown, textUtil } from '@grafana/data';
import { ScrollContainer } from '@grafana/ui';

export function TextPanel({ options, replaceVariables }) {
  const { mode = 'markdown', content = '' } = options;
  const filled = replaceVariables(content, undefined, mode === 'html' ? 'html' : undefined);
  const html = useMemo(() => RENDER[mode]?.(filled) ?? RENDER.markdown(filled), [mode, filled]);
  return (
    <ScrollContainer>
      <div
        className="markdown-html"
        style={{ padding: 8 }}
        dangerouslySetInnerHTML={{ __html: html }}
      />
    </ScrollContainer>
  );
}

const RENDER = {
  html: (text) => textUtil.sanitizeTextPanelContent(text),
  code: (text) => `<pre>${textUtil.escapeHtml(text)}</pre>`,
  markdown: (text) => renderTextPanelMarkdown(text),
};
