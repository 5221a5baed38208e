#[allow(deprecated)]
const _: () = {
    use ::toolgate::__private as __rt;
    const __SCOPES: &[__rt::ScopeDeclaration] = &[
        __rt::ScopeDeclaration {
            name: "r",
            description: "Read.",
            implies: &[],
            step_up: false,
            location: __rt::Location {
                file: __rt::file!(),
                line: __rt::line!(),
                column: __rt::column!(),
            },
        },
        __rt::ScopeDeclaration {
            name: "w",
            description: "Write.",
            implies: &["r"],
            step_up: true,
            location: __rt::Location {
                file: __rt::file!(),
                line: __rt::line!(),
                column: __rt::column!(),
            },
        },
    ];
    impl __rt::Scopes for Scope {
        const ALL: &'static [Self] = &[Self::Read, Self::Write];
        const DECLARED: &'static [__rt::ScopeDeclaration] = __SCOPES;
        fn declaration(&self) -> &'static __rt::ScopeDeclaration {
            match self {
                Self::Read => &__SCOPES[0],
                Self::Write => &__SCOPES[1],
            }
        }
    }
    __rt::inventory::submit!(__rt::RegisteredScopes(__SCOPES));
};
