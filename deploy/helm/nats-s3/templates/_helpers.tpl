{{- define "nats-s3.name" -}}
{{ .Values.nameOverride | default .Chart.Name | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The release's name, followed by the chart's name unless the release's name contains it. */}}
{{- define "nats-s3.fullname" -}}
{{- $name := include "nats-s3.name" . -}}
{{- $joined := contains $name .Release.Name | ternary .Release.Name (printf "%s-%s" .Release.Name $name) -}}
{{ .Values.fullnameOverride | default $joined | trunc 57 | trimSuffix "-" }}
{{- end }}

{{- define "nats-s3.selectorLabels" -}}
app.kubernetes.io/name: {{ include "nats-s3.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "nats-s3.labels" -}}
{{ include "nats-s3.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "nats-s3.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (.Values.serviceAccount.create | ternary (include "nats-s3.fullname" .) "default") }}
{{- end }}

{{- define "nats-s3.secret" -}}
{{- $made := .Values.secret.values -}}
{{- if and .Values.secret.existing $made -}}
{{- fail "Cannot use both secret.existing and secret.values: choose one" -}}
{{- else if not (or .Values.secret.existing $made) -}}
{{- fail "There are no S3 credentials: give secret.existing, or secret.values with NATS_S3_NATS_USER and NATS_S3_NATS_PASSWORD, or with NATS_S3_CREDENTIALS" -}}
{{- end -}}
{{ .Values.secret.existing | default (include "nats-s3.fullname" .) }}
{{- end }}

{{- define "nats-s3.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}
