package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/zkml-go/zkml/internal/printable"
	"github.com/zkml-go/zkml/service"
	"github.com/zkml-go/zkml/service/access"
)

// keyResult is what serve keys create prints.
type keyResult struct {
	Token string `json:"token"`
	keyLine
	Quota string `json:"quota,omitempty"`
}

// keyLine is a key in serve keys ls.
type keyLine struct {
	Prefix  string         `json:"prefix"`
	Tenant  string         `json:"tenant"`
	Scopes  []access.Scope `json:"scopes"`
	Created time.Time      `json:"created"`
	Expires time.Time      `json:"expires,omitzero"`
	Revoked bool           `json:"revoked"`
}

func lineOf(k *access.Key) keyLine {
	return keyLine{k.Prefix, k.Tenant, k.Scopes, k.Created, k.Expires, k.Revoked}
}

// print writes the line.
func (k keyLine) print(w io.Writer) {
	state := "without end"
	switch {
	case k.Revoked:
		state = "revoked"
	case !k.Expires.IsZero():
		state = "until " + k.Expires.Format(time.RFC3339)
	}
	scopes := make([]string, len(k.Scopes))
	for i, s := range k.Scopes {
		scopes[i] = string(s)
	}
	printable.Fprintf(w, "%s\t%s\t%s\t%s\n", k.Prefix, k.Tenant, strings.Join(scopes, ","), state)
}

func (a *app) serveKeysCommand() *cobra.Command {
	var f serviceFlags
	var tenant, quota string
	var scopes []string
	var lifetime time.Duration
	keys := &cobra.Command{
		Use:   "keys",
		Short: "make, list and revoke api keys",
		Long: `Keys says who may use a prover service. With the embedded nats the service
has to be stopped meanwhile; a key with the scope admin does the same over http.`,
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	f.add(keys.PersistentFlags())
	open := func(cmd *cobra.Command, do func(*service.Service) error) error {
		c, err := f.config(a)
		if err != nil {
			return err
		}
		s, err := service.Open(cmd.Context(), c)
		if err != nil {
			return err
		}
		defer s.Close()
		return do(s)
	}
	create := &cobra.Command{
		Use: "create --tenant NAME", Short: "make a key and print it; it can't be had again", Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := require("tenant", tenant); err != nil {
				return err
			}
			var allowed []access.Scope
			for _, s := range scopes {
				allowed = append(allowed, access.Scope(s))
			}
			q, err := access.ParseQuota(quota)
			if err != nil {
				return usage(err)
			}
			return open(cmd, func(s *service.Service) error {
				if cmd.Flags().Changed("quota") {
					if err := s.Tenants().SetQuota(cmd.Context(), tenant, q); err != nil {
						return usage(err)
					}
				}
				token, k, err := s.Keys().Create(cmd.Context(), tenant, allowed, lifetime)
				if err != nil {
					return usage(err)
				}
				return a.emit(keyResult{token, lineOf(k), q.String()}, func(w io.Writer) { fmt.Fprintln(w, token) })
			})
		},
	}
	create.Flags().StringVar(&tenant, "tenant", "", "whose key it is")
	create.Flags().StringSliceVar(&scopes, "scope", []string{"prove"}, "what it allows: read, prove, or admin, which is for the keys and quotas of all tenants")
	create.Flags().DurationVar(&lifetime, "lifetime", 0, "how long it is valid (default: without end)")
	const quotas = "what the tenant may have, of all its keys, such as queued=100,running=2,per-day=1000,models=20,stored=10GiB,rows=1000000,memory=2GiB"
	create.Flags().StringVar(&quota, "quota", "", quotas+" (default: as it is)")
	set := &cobra.Command{
		Use: "quota --tenant NAME", Short: "set a tenant's quota, or show it", Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := require("tenant", tenant); err != nil {
				return err
			}
			q, err := access.ParseQuota(quota)
			if err != nil {
				return usage(err)
			}
			return open(cmd, func(s *service.Service) error {
				if cmd.Flags().Changed("quota") {
					if err := s.Tenants().SetQuota(cmd.Context(), tenant, q); err != nil {
						return usage(err)
					}
				}
				t, err := s.Tenants().Get(cmd.Context(), tenant)
				if err != nil {
					return usage(err)
				}
				result := struct {
					Tenant string       `json:"tenant"`
					Quota  access.Quota `json:"quota"`
				}{tenant, t.Quota}
				return a.emit(result, func(w io.Writer) {
					printable.Fprintf(w, "%s\t%s\n", tenant, cmp.Or(t.Quota.String(), "no quota"))
				})
			})
		},
	}
	set.Flags().StringVar(&tenant, "tenant", "", "whose quota it is")
	set.Flags().StringVar(&quota, "quota", "", quotas+`; "" is none (default: show it)`)
	list := &cobra.Command{
		Use: "ls", Short: "list the keys", Args: exactArgs(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return open(cmd, func(s *service.Service) error {
				all, err := s.Keys().List(cmd.Context())
				if err != nil {
					return err
				}
				lines := make([]keyLine, len(all))
				for i, k := range all {
					lines[i] = lineOf(k)
				}
				result := struct {
					Keys []keyLine `json:"keys"`
				}{lines}
				return a.emit(result, func(w io.Writer) {
					for _, k := range lines {
						k.print(w)
					}
				})
			})
		},
	}
	revoke := &cobra.Command{
		Use: "revoke PREFIX", Short: "end a key for good", Args: exactArgs("PREFIX"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return open(cmd, func(s *service.Service) error {
				err := s.Keys().Revoke(cmd.Context(), args[0])
				if errors.Is(err, access.ErrNoKey) {
					return usage(err)
				}
				return err
			})
		},
	}
	keys.AddCommand(create, list, revoke, set)
	return keys
}
