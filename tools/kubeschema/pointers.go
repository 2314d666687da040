// Prints, as JSON, which fields of the Kubernetes types are Go pointers: {OpenAPI name: {field: is a pointer}}.
//
// OpenAPI does not tell: a pointer keeps false, 0, "" and {}, any other field with omitempty drops them. Run by
// kubeschema/server.py inside the module of tools/kubernetes that a server is built from.
package main

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"

	admission "k8s.io/api/admissionregistration/v1"
	apps "k8s.io/api/apps/v1"
	certificates "k8s.io/api/certificates/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	policy "k8s.io/api/policy/v1"
	rbac "k8s.io/api/rbac/v1"
	storage "k8s.io/api/storage/v1"
	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiregistration "k8s.io/kube-aggregator/pkg/apis/apiregistration/v1"
)

// One of every kind of tables.KINDS; all else is reached from them.
var roots = []any{
	admission.ValidatingAdmissionPolicy{}, admission.ValidatingAdmissionPolicyBinding{},
	apiextensions.CustomResourceDefinition{},
	apiregistration.APIService{},
	apps.DaemonSet{}, apps.Deployment{},
	certificates.CertificateSigningRequest{},
	coordination.Lease{},
	core.ConfigMap{}, core.Namespace{}, core.ResourceQuota{}, core.Secret{}, core.Service{}, core.ServiceAccount{},
	networking.NetworkPolicy{},
	policy.PodDisruptionBudget{},
	rbac.ClusterRole{}, rbac.ClusterRoleBinding{}, rbac.Role{}, rbac.RoleBinding{},
	storage.CSIDriver{},
}

// k8s.io/api/core/v1, Container -> io.k8s.api.core.v1.Container.
func openAPIName(t reflect.Type) string {
	domain, rest, _ := strings.Cut(t.PkgPath(), "/")
	parts := strings.Split(domain, ".")
	for i, j := 0, len(parts)-1; i < j; i, j = i+1, j-1 {
		parts[i], parts[j] = parts[j], parts[i]
	}
	return strings.Join(parts, ".") + "." + strings.ReplaceAll(rest, "/", ".") + "." + t.Name()
}

type walk map[string]map[string]bool

var marshaler = reflect.TypeFor[json.Marshaler]()

// What slices, maps and pointers hold in the end.
func element(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Slice || t.Kind() == reflect.Map || t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func (w walk) visit(t reflect.Type) {
	t = element(t)
	// What writes its own JSON (Quantity, Time, IntOrString) is a scalar or free JSON to everybody else.
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(marshaler) || w[openAPIName(t)] != nil {
		return
	}
	fields := map[string]bool{}
	w[openAPIName(t)] = fields
	w.fields(t, fields)
}

func (w walk) fields(t reflect.Type, fields map[string]bool) {
	for i := range t.NumField() {
		field := t.Field(i)
		name, options, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-" || !field.IsExported():
		case name == "" && (field.Anonymous || strings.Contains(options, "inline")):
			w.fields(element(field.Type), fields)
		default:
			fields[name] = field.Type.Kind() == reflect.Pointer
			w.visit(field.Type)
		}
	}
}

func main() {
	found := walk{}
	for _, root := range roots {
		found.visit(reflect.TypeOf(root))
	}
	if err := json.NewEncoder(os.Stdout).Encode(found); err != nil {
		panic(err)
	}
}
