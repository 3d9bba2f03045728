// Judges SNP evidence with Google's go-sev-guest, for tests to compare with.
//
// Standard input is a JSON list of jobs, standard output the list of verdicts
// in the same order. Nothing is fetched from the network.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/google/go-configfs-tsm/configfs/configfsi"
	tsmreport "github.com/google/go-configfs-tsm/report"
	"github.com/google/go-sev-guest/abi"
	spb "github.com/google/go-sev-guest/proto/sevsnp"
	"github.com/google/go-sev-guest/verify"
	"github.com/google/go-sev-guest/verify/trust"
)

// A job names a report and what to judge it with.
type job struct {
	Report string   // file with a raw report, or
	Tsm    string   // directory with the semantics of configfs-tsm/report
	Certs  []string // files, PEM or DER: leaf, intermediate, root
	Table  string   // file with a certificate table, in place of Certs
	Crl    string   // DER; without one revocation is not checked
	Anchor string   // PEM of a root key to trust; without one AMD's
	Chain  []string // files with the intermediates that go with Anchor
	At     string   // RFC 3339; without one now
	Line   string   // "Milan", for reports that do not say
}

type verdict struct {
	Ok    bool   `json:"ok"`
	Error string `json:"error"`
}

func parseCerts(path string) ([]*x509.Certificate, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if block, rest := pem.Decode(data); block != nil {
		var certs []*x509.Certificate
		for ; block != nil; block, rest = pem.Decode(rest) {
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("%s: %v", path, err)
			}
			certs = append(certs, cert)
		}
		return certs, nil
	}
	cert, err := x509.ParseCertificate(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %v", path, err)
	}
	return []*x509.Certificate{cert}, nil
}

func parseAll(paths []string) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, path := range paths {
		certs, err := parseCerts(path)
		if err != nil {
			return nil, err
		}
		all = append(all, certs...)
	}
	return all, nil
}

func chainOf(certs []*x509.Certificate) *spb.CertificateChain {
	chain := &spb.CertificateChain{Extras: map[string][]byte{}}
	for _, cert := range certs {
		switch cn := cert.Subject.CommonName; {
		case cn == "SEV-VCEK":
			chain.VcekCert = cert.Raw
		case cn == "SEV-VLEK":
			chain.VlekCert = cert.Raw
		case strings.HasPrefix(cn, "ARK-"):
			chain.ArkCert = cert.Raw
		default:
			chain.AskCert = cert.Raw
		}
	}
	return chain
}

// Places the attestation under test below /sys/kernel/config/tsm.
type relocated struct{ dir string }

func (r relocated) path(name string) string {
	return filepath.Join(r.dir, strings.TrimPrefix(name, configfsi.TsmPrefix+"/report"))
}

func (r relocated) MkdirTemp(dir, pattern string) (string, error) {
	made, err := os.MkdirTemp(r.path(dir), pattern)
	return filepath.Join(dir, filepath.Base(made)), err
}
func (r relocated) ReadFile(name string) ([]byte, error) { return os.ReadFile(r.path(name)) }
func (r relocated) WriteFile(name string, contents []byte) error {
	return os.WriteFile(r.path(name), contents, 0220)
}
func (r relocated) RemoveAll(name string) error { return os.Remove(r.path(name)) }

// What Google's own client of configfs-tsm gets out of the directory.
func collect(dir string) ([]byte, []byte, error) {
	nonce := make([]byte, 64)
	copy(nonce, "go-configfs-tsm")
	response, err := tsmreport.Get(relocated{dir}, &tsmreport.Request{
		InBlob: nonce, Privilege: &tsmreport.Privilege{Level: 0}, GetAuxBlob: true})
	if err != nil {
		return nil, nil, err
	}
	if response.Provider != "sev_guest\n" {
		return nil, nil, fmt.Errorf("provider %q", response.Provider)
	}
	if len(response.OutBlob) != abi.ReportSize || string(response.OutBlob[0x50:0x90]) != string(nonce) {
		return nil, nil, errors.New("report is not about the nonce")
	}
	return response.OutBlob, response.AuxBlob, nil
}

func attestationOf(j *job) (*spb.Attestation, error) {
	var raw, table []byte
	var err error
	if j.Tsm != "" {
		raw, table, err = collect(j.Tsm)
	} else {
		raw, err = os.ReadFile(j.Report)
	}
	if err == nil && j.Table != "" {
		table, err = os.ReadFile(j.Table)
	}
	if err != nil {
		return nil, err
	}
	if table != nil {
		return abi.ReportCertsToProto(append(raw, table...))
	}
	report, err := abi.ReportToProto(raw)
	if err != nil {
		return nil, err
	}
	certs, err := parseAll(j.Certs)
	return &spb.Attestation{Report: report, CertificateChain: chainOf(certs)}, err
}

// Serves the CRL and nothing else.
type crlGetter struct{ path string }

func (g crlGetter) Get(url string) ([]byte, error) {
	if strings.HasSuffix(url, "/crl") {
		return os.ReadFile(g.path)
	}
	return nil, fmt.Errorf("not fetching %s", url)
}

func trustedRoots(j *job) (map[string][]*trust.AMDRootCerts, error) {
	if j.Anchor == "" {
		return nil, nil
	}
	certs, err := parseAll(append([]string{j.Anchor}, j.Chain...))
	if err != nil {
		return nil, err
	}
	root := trust.AMDRootCertsProduct(j.Line)
	root.ProductCerts = &trust.ProductCerts{}
	for _, cert := range certs {
		switch cn := cert.Subject.CommonName; {
		case strings.HasPrefix(cn, "ARK-"):
			root.ProductCerts.Ark = cert
		case strings.HasPrefix(cn, "SEV-VLEK-"):
			root.ProductCerts.Asvk = cert
		default:
			root.ProductCerts.Ask = cert
		}
	}
	return map[string][]*trust.AMDRootCerts{j.Line: {root}}, nil
}

func judge(j *job) error {
	attestation, err := attestationOf(j)
	if err != nil {
		return err
	}
	options := &verify.Options{DisableCertFetching: true, Now: time.Now()}
	if j.At != "" {
		if options.Now, err = time.Parse(time.RFC3339, j.At); err != nil {
			return err
		}
	}
	if options.TrustedRoots, err = trustedRoots(j); err != nil {
		return err
	}
	if attestation.Report.GetCpuid1EaxFms() == 0 {
		names := map[string]spb.SevProduct_SevProductName{
			"Milan": spb.SevProduct_SEV_PRODUCT_MILAN,
			"Genoa": spb.SevProduct_SEV_PRODUCT_GENOA,
			"Turin": spb.SevProduct_SEV_PRODUCT_TURIN}
		options.Product = &spb.SevProduct{Name: names[j.Line]}
	}
	if j.Crl != "" {
		options.CheckRevocations = true
		options.Getter = crlGetter{j.Crl}
	}
	return verify.SnpAttestation(attestation, options)
}

// go-sev-guest can panic on evidence it does not expect; that is a verdict too.
func judgeSafely(j *job) (v verdict) {
	defer func() {
		if p := recover(); p != nil {
			v = verdict{Error: fmt.Sprintf("panic: %v", p)}
		}
	}()
	if err := judge(j); err != nil {
		return verdict{Error: err.Error()}
	}
	return verdict{Ok: true}
}

func main() {
	var jobs []job
	if err := json.NewDecoder(os.Stdin).Decode(&jobs); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	verdicts := make([]verdict, len(jobs))
	for i := range jobs {
		verdicts[i] = judgeSafely(&jobs[i])
	}
	if err := json.NewEncoder(os.Stdout).Encode(verdicts); err != nil {
		os.Exit(3)
	}
}
