{{- define "ostia.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{- define "ostia.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" }}
{{- else if contains (include "ostia.name" .) .Release.Name }}
{{- .Release.Name | trunc 63 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name (include "ostia.name" .) | trunc 63 | trimSuffix "-" }}
{{- end }}
{{- end }}

{{- define "ostia.selector" -}}
app.kubernetes.io/name: {{ include "ostia.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "ostia.labels" -}}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{ include "ostia.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{- define "ostia.serviceAccount" -}}
{{- if .Values.serviceAccount.create }}
{{- default (include "ostia.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{/* The Secret with the variables, if there is one. */}}
{{- define "ostia.secretName" -}}
{{- if .Values.existingSecret }}
{{- .Values.existingSecret }}
{{- else if .Values.secret }}
{{- include "ostia.fullname" . }}
{{- end }}
{{- end }}

{{/* What URLs begin with. */}}
{{- define "ostia.scheme" -}}
{{- if .Values.tlsSecret }}https{{ else }}http{{ end }}
{{- end }}

{{/* ostia.yaml: what the values say, the times that have to agree with the pod's, and where the pod has its certificate. */}}
{{- define "ostia.yaml" -}}
{{- $timeouts := merge (dict "drain" (printf "%ds" (int .Values.drainSeconds))) (default dict .Values.config.timeouts) }}
{{- $given := dict "timeouts" $timeouts }}
{{- if .Values.tlsSecret }}
{{- $tls := dict "cert" "/etc/ostia-tls/tls.crt" "key" "/etc/ostia-tls/tls.key" }}
{{- $given = set $given "tls" (merge $tls (default dict .Values.config.tls)) }}
{{- end }}
{{- merge $given .Values.config | toYaml }}
{{- end }}
